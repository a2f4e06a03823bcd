"""`python -m data_engine.generate`: the command without the `emollm` script."""

import sys

from data_engine.generate.door import main

sys.exit(main())
