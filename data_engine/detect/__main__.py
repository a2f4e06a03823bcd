"""`python -m data_engine.detect` is `emollm detect`."""

import sys

from data_engine.detect.door import main

sys.exit(main())
