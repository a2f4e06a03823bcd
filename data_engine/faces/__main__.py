"""`python -m data_engine.faces` is `emollm faces`."""

import sys

from data_engine.faces.door import main

sys.exit(main())
