"""`python -m scripts.simulator`: the simulator without the rest of the command line."""

import sys

from config.errors import ConfigError
from scripts.simulator.command import app

try:
    app()
except ConfigError as error:
    sys.stderr.write(f"{error}\n")
    sys.exit(2)
