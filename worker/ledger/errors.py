"""What may go wrong between us and Redis. Driver errors are translated here, once.

LedgerError
├── LedgerUnavailable    Redis did not answer, or could not confirm a write: try again later
└── LedgerBroken         Redis answered that the ledger is not as a script left it: tell someone
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import (
    NoPermissionError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.exceptions import TimeoutError as RedisTimeoutError

_PASSING = frozenset({"BUSY", "CLUSTERDOWN", "LOADING", "MASTERDOWN", "MISCONF", "NOREPLICAS", "OOM", "READONLY"})
"""Refusals that pass by themselves, or when somebody sees to the server."""

_IN_A_SCRIPT = re.compile(r"Error running script .*?-([A-Z]+) ", re.DOTALL)
"""How a server before 7.0 wraps what a command of a script was refused with."""


class LedgerError(Exception):
    """The ledger could not do it."""


class LedgerUnavailable(LedgerError):
    """Redis did not answer, or could not confirm a write. The step may or may not have happened."""


class LedgerBroken(LedgerError):
    """Redis refused a step in a way that trying again does not mend."""


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's errors into ours; a missing script passes, because its caller loads it and calls again."""
    try:
        yield
    except NoScriptError:
        raise
    except (ReadOnlyError, OutOfMemoryError) as error:
        raise LedgerUnavailable(f"Redis takes no writes: {error}") from error
    except (RedisConnectionError, RedisTimeoutError, OSError) as error:
        raise LedgerUnavailable(f"Redis does not answer: {error}") from error
    except NoPermissionError as error:
        raise LedgerBroken(f"the Redis user may not do this: {error}") from error
    except ResponseError as error:
        if _code_of(str(error)) in _PASSING:
            raise LedgerUnavailable(f"Redis is not ready: {error}") from error
        raise LedgerBroken(f"Redis refused a step: {error}") from error
    except RedisError as error:
        raise LedgerUnavailable(f"Redis did not do it: {error}") from error


def _code_of(words: str) -> str:
    wrapped = _IN_A_SCRIPT.search(words)
    return wrapped.group(1) if wrapped else words.partition(" ")[0]
