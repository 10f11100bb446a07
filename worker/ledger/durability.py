"""Whether an intent written to this Redis survives a crash of it: a worker does not send where it would not.

What may not be read counts as off.
"""

from dataclasses import dataclass
from typing import Any, cast

import redis.asyncio
from redis.exceptions import NoPermissionError, ResponseError

from worker.ledger.errors import translated


@dataclass(frozen=True, slots=True, kw_only=True)
class Durability:
    """`waitaof`: the server can confirm that a write is on disk. `problem`: why nothing may be sent, or ""."""

    waitaof: bool
    problem: str


async def check_durability(client: redis.asyncio.Redis) -> Durability:
    """Ask the server how it keeps what it is told; raises `LedgerError`."""
    with translated():
        persistence = await client.info("persistence")
        memory = await client.info("memory")
        waitaof = await _knows_waitaof(client)
        fsync = "confirmed by WAITAOF" if waitaof else await _appendfsync(client)
    policy = memory.get("maxmemory_policy", "unknown")
    problem = ""
    if persistence.get("aof_enabled") not in (1, "1"):
        problem = "Redis has appendonly off: after a crash it would not know what was sent; set appendonly yes"
    elif policy != "noeviction":
        problem = f"Redis has maxmemory-policy {policy}: batches could vanish; set maxmemory-policy noeviction"
    elif not waitaof and fsync != "always":
        problem = f"Redis lacks WAITAOF and has appendfsync {fsync}: set appendfsync always"
    return Durability(waitaof=waitaof, problem=problem)


async def _knows_waitaof(client: redis.asyncio.Redis) -> bool:
    try:
        await client.waitaof(0, 0, 0)
    except (ResponseError, NoPermissionError):
        return False
    return True


async def _appendfsync(client: redis.asyncio.Redis) -> str:
    try:
        found = cast(dict[Any, Any], await client.config_get("appendfsync"))
    except (ResponseError, NoPermissionError):
        return "unknown"
    value = found.get("appendfsync", found.get(b"appendfsync", "unknown"))
    return value.decode() if isinstance(value, bytes) else str(value)
