"""Redis clients as the ledger needs them: short deadlines, no silent retries.

redis-py 8 repeats a command up to ten times by itself. A step repeated behind our back would be harmless (each is
fenced) but its age would be unknown, and the first byte of a batch must go out within 2 s of asking: so no retries
here, and every caller that must not give up says so itself.
"""

import redis
import redis.asyncio
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

CONNECT_S = 3.0
ANSWER_S = 5.0


def connect(url: str) -> redis.Redis:
    """Return a blocking client for `redis://`, `rediss://` or `unix://` URLs. Nothing is sent yet."""
    return redis.Redis.from_url(
        url,
        socket_connect_timeout=CONNECT_S,
        # A report reads a hundred batches at a time; a loaded server may need longer for it than for a step.
        socket_timeout=30.0,
        retry=Retry(NoBackoff(), 0),
    )


def connect_async(url: str) -> redis.asyncio.Redis:
    """Return an asyncio client for the worker's loop. Nothing is sent yet."""
    return redis.asyncio.Redis.from_url(
        url,
        socket_connect_timeout=CONNECT_S,
        socket_timeout=ANSWER_S,
        max_connections=512,
        retry=AsyncRetry(NoBackoff(), 0),
    )
