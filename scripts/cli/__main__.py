"""`python -m scripts.cli`: the command line where the `bulksend` command is not on PATH."""

import sys

from scripts.cli.application import main

sys.exit(main())
