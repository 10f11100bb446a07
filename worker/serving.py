"""Whether this process serves a lane: it needs the account, its secrets, a Redis that remembers, and a seat.

The door between the places of a process and its drains. Invariant: a process that can not serve a lane takes no seat in
it and says why in the lane, so that a wrong configuration shows and keeps no other process away.
"""

import asyncio

import structlog

from config.errors import ConfigError
from worker.domain.ids import AccountName
from worker.drain import Drain
from worker.engine import Engine
from worker.intent import intent_of
from worker.ledger.errors import LedgerBroken, LedgerError, LedgerUnavailable
from worker.ledger.seats import NoSeat, report_problem, take_seat
from worker.lines import Lines
from worker.sender import Sender

log = structlog.stdlib.get_logger("bulksend.worker")


async def serve_lane(engine: Engine, name: AccountName, crowded: asyncio.Event) -> None:
    """Serve a lane if it needs this process; else return at once.

    A process that can not serve it (no such account, a secret missing, a Redis that forgets) takes no seat and says
    so in the lane.
    """
    try:
        lane = await _seated(engine, name, crowded)
        if lane is not None:
            log.info("lane.served", account=name)
            await lane.run()
            log.info("lane.left", account=name)
    except (ConfigError, LedgerBroken) as problem:
        engine.forget_durability()
        log.error("lane.not_served", account=name, why=str(problem))
        await _report(engine, name, str(problem))
    except LedgerUnavailable as error:
        log.warning("lane.not_served", account=name, why=str(error))


async def _seated(engine: Engine, name: AccountName, crowded: asyncio.Event) -> Drain | None:
    """Return the lane with a seat for this process; `None`: the lane has as many as it needs."""
    served = engine.roster.serve(name)
    durability = await engine.durability()
    if durability.problem:
        raise ConfigError(durability.problem)
    await engine.announce([name])
    await engine.know_clock()
    seat = await take_seat(engine.redis, name, engine.owner)
    if isinstance(seat, NoSeat):
        return None
    return Drain(
        engine=engine,
        name=name,
        crowded=crowded,
        sender=Sender(engine=engine, name=name, served=served),
        lines=Lines(origin=served.gateway.origin, connect_timeout_s=served.account.timeout),
        intent=intent_of(served, confirm=durability.waitaof, replicas=engine.replicas),
        seat=seat,
    )


async def _report(engine: Engine, name: AccountName, problem: str) -> None:
    try:
        await report_problem(engine.redis, name, engine.owner, problem)
    except LedgerError as error:
        log.warning("ledger.away", why=str(error))
