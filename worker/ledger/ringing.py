"""Rings: how a process with room learns which lanes wait for one."""

from dataclasses import dataclass

import redis.asyncio

from worker.domain.ids import AccountName, Owner
from worker.ledger import keys
from worker.ledger.scripts import load


@dataclass(frozen=True, slots=True, kw_only=True)
class Rung:
    """Lanes that the asker is to serve, those that wait longest first; `more_wait`: there are others."""

    accounts: tuple[AccountName, ...]
    more_wait: bool


async def ring(client: redis.asyncio.Redis, owner: Owner, most: int, now: int = 0) -> Rung:
    """Ask for at most so many lanes that are due and lack a seat; nobody else is named them within the next second.

    With 0 it learns only whether any lane waits. Raises `LedgerError`.
    """
    more_wait, *accounts = await load("ring").acall(client, [keys.DUE, keys.WORKERS], [now, keys.PREFIX, owner, most])
    return Rung(accounts=tuple(AccountName(name.decode()) for name in accounts), more_wait=bool(more_wait))
