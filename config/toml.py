"""Text to a TOML document, for both of the files that users write."""

import tomllib
from pathlib import Path
from typing import Any

from config.errors import ConfigError


def parse_toml(path: Path, text: str) -> dict[str, Any]:
    """Parse the text of a file.

    Raises `tomllib.TOMLDecodeError` where it is not TOML, and `ConfigError` where it is more than Python will hold.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except ValueError:
        raise ConfigError(f"{path}: it has a number of too many digits") from None
    except RecursionError:
        raise ConfigError(f"{path}: it is nested too deep") from None
