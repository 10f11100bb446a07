"""The ledger's side of suppression: lists of numbers, who was messaged lately, and the look-up of a production.

A list is spread over 65,536 sets of integers, so that ten million numbers take some 100 MB and a look-up a few
comparisons. How they lie in Redis stands in lua/lists.lua, suppressed.lua and recent.lua, whose functions other scripts
join.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

import redis
import redis.asyncio

from worker.domain.suppression import Checks, Reason, Scope, SuppressionList
from worker.ledger import keys
from worker.ledger.errors import LedgerBroken, translated
from worker.ledger.packing import pack_numbers
from worker.ledger.scripts import load

AT_ONCE = 1_000
"""Numbers changed by one script: some 3 ms, in which the server does nothing else."""

_BUCKETS = 65_536
_BUCKETS_AT_ONCE = 512
_CODES = [(scope, reason) for scope in Scope for reason in Reason]
_TIMES = 8
"""A stored integer is the number times this, plus the place of scope and reason in `_CODES`, from 1."""


def suppress(client: redis.Redis, of: SuppressionList, numbers: Sequence[int], reason: Reason) -> int:
    """Put numbers on a list, `AT_ONCE` a script; return how many were not on it. Those on it keep their reason."""
    return sum(
        int(load("suppress").call(client, [keys.SUPPRESSION_LISTS], _adding(of, part, reason)))
        for part in _parts(numbers)
    )


async def suppress_while_sending(
    client: redis.asyncio.Redis, of: SuppressionList, numbers: Sequence[int], reason: Reason
) -> int:
    """Do as `suppress` does, on the worker's loop, with at most `AT_ONCE` numbers."""
    return int(await load("suppress").acall(client, [keys.SUPPRESSION_LISTS], _adding(of, numbers, reason)))


def unsuppress(client: redis.Redis, of: SuppressionList, numbers: Sequence[int]) -> int:
    """Take numbers off a list, for whatever reason they are on it; return how many were."""
    return sum(
        int(load("unsuppress").call(client, [keys.SUPPRESSION_LISTS], [*_named(of), pack_numbers(part)]))
        for part in _parts(numbers)
    )


def _adding(of: SuppressionList, numbers: Sequence[int], reason: Reason) -> list[str | int | bytes]:
    return [*_named(of), _CODES.index((of.scope, reason)) + 1, pack_numbers(numbers)]


def _named(of: SuppressionList) -> tuple[str, str, int]:
    return _name(of), keys.suppression(_place(of)), _CODES.index((of.scope, Reason.HAND)) + 1


def list_counts(client: redis.Redis) -> dict[SuppressionList, int]:
    """Return every list that has numbers, with how many; the global ones first, then by name."""
    with translated():
        counts = cast(Mapping[bytes, bytes], client.hgetall(keys.SUPPRESSION_LISTS))
    found = [(_list(name.decode()), int(count)) for name, count in counts.items()]
    return dict(sorted(found, key=lambda each: (each[0].kind != "global", each[0].place, each[0].scope)))


def count_of(client: redis.Redis, of: SuppressionList) -> int:
    """Return how many numbers are on a list."""
    with translated():
        return int(cast(bytes | None, client.hget(keys.SUPPRESSION_LISTS, _name(of))) or 0)


def lists_with(client: redis.Redis, number: int) -> dict[SuppressionList, Reason]:
    """Return every list on which the number is, and why."""
    lists = list(list_counts(client))
    values = [number * _TIMES + code for code in range(1, len(_CODES) + 1)]
    with translated():
        pipeline = client.pipeline(transaction=False)
        for each in lists:
            pipeline.smismember(_bucket(each, number % _BUCKETS), values)
        replies = pipeline.execute()
    found = {}
    for each, reply in zip(lists, replies, strict=True):
        for (scope, reason), is_there in zip(_CODES, reply, strict=True):
            if is_there and scope is each.scope:
                found[each] = reason
    return found


def numbers_on(client: redis.Redis, of: SuppressionList) -> Iterator[tuple[int, Reason]]:
    """Give every number of a list with its reason, in no order, a few thousand a round trip."""
    if not count_of(client, of):
        return
    for first in range(0, _BUCKETS, _BUCKETS_AT_ONCE):
        with translated():
            pipeline = client.pipeline(transaction=False)
            for bucket in range(first, first + _BUCKETS_AT_ONCE):
                pipeline.smembers(_bucket(of, bucket))
            replies = pipeline.execute()
        for members in replies:
            for member in members:
                number, code = divmod(int(member), _TIMES)
                scope, reason = _CODES[code - 1]
                if scope is of.scope:
                    yield number, reason


def find_suppressed(client: redis.Redis, checks: Checks, numbers: Sequence[int], now: int = 0) -> dict[int, str]:
    """Return the positions of the numbers (at most 65,535) that may not be messaged now, each with the code of why.

    One script, which changes nothing; the codes are told in words by `worker.domain.suppression.why`.
    """
    args = (checks.account, checks.sender, int(checks.is_promotional), checks.not_before_hours)
    reply = load("find_suppressed").call(client, [], [now, keys.PREFIX, *args, pack_numbers(numbers)])
    return {position: code.decode() for position, code in zip(reply[::2], reply[1::2], strict=True)}


def remember(client: redis.Redis, numbers: Sequence[int], hours: int, now: int = 0) -> None:
    """Remember for so many hours that these numbers (at most 65,535) were messaged at `now`; 0 remembers nobody."""
    load("remember").call(client, [], [now, keys.PREFIX, hours, pack_numbers(numbers)])


def _parts(numbers: Sequence[int]) -> Iterator[Sequence[int]]:
    return (numbers[first : first + AT_ONCE] for first in range(0, len(numbers), AT_ONCE))


def _place(of: SuppressionList) -> str:
    """Return a list's place as the scripts make it: a sender's is in capitals, of ASCII only, as Lua makes them."""
    if of.kind == "global":
        return of.kind
    return f"{of.kind}:{of.name.encode().upper().decode() if of.kind == 'sender' else of.name}"


def _name(of: SuppressionList) -> str:
    return f"{of.scope}:{_place(of)}"


def _list(name: str) -> SuppressionList:
    scope, kind, *of = name.split(":", 2)
    try:
        return SuppressionList(scope=Scope(scope), kind=cast(Any, kind), name="".join(of))
    except ValueError as error:
        raise LedgerBroken(f"there is a suppression list with the name {name!r}, which is none") from error


def _bucket(of: SuppressionList, bucket: int) -> str:
    return f"{keys.suppression(_place(of))}{bucket}"
