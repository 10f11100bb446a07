"""What may go wrong between us and Redis. Driver errors are translated here, once.

LedgerError
├── LedgerUnavailable    Redis did not answer, or could not confirm a write: try again later
└── LedgerBroken         Redis answered that the ledger is not as a script left it: tell someone
"""

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
        if str(error).startswith(("LOADING", "MASTERDOWN", "BUSY", "MISCONF", "NOREPLICAS", "READONLY", "CLUSTERDOWN")):
            raise LedgerUnavailable(f"Redis is not ready: {error}") from error
        raise LedgerBroken(f"Redis refused a step: {error}") from error
    except RedisError as error:
        raise LedgerUnavailable(f"Redis did not do it: {error}") from error
