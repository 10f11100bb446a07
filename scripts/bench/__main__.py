"""`python -m scripts.bench`: measure on this machine, print one table, write the same as JSON."""

import sys

from config.errors import ConfigError
from scripts.bench.command import app
from scripts.bench.processes import ProcessFailed

try:
    app()
except ConfigError as error:
    sys.stderr.write(f"{error}\n")
    sys.exit(2)
except ProcessFailed as error:
    sys.stderr.write(f"{error}\n")
    sys.exit(1)
