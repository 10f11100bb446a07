"""What became of a batch's messages, as one compact value: written once by the script that moves the counters."""

import zlib
from collections.abc import Collection
from dataclasses import dataclass

import orjson

from worker.domain.answers import Accepted, MessageOutcome, Rejected, Unconfirmed


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """The outcomes of one batch in wire order; `sent_at` is seconds since the epoch."""

    sent_at: float
    messages: tuple[MessageOutcome, ...]


_LETTERS: dict[type[MessageOutcome], str] = {Accepted: "a", Rejected: "r", Unconfirmed: "u"}


def letters_of(outcomes: Outcomes, untaken: Collection[int] = ()) -> str:
    """Return one letter a message: a(ccepted), r(ejected), u(nconfirmed), and p at the places `untaken` among them."""
    letters = "".join([_LETTERS[type(outcome)] for outcome in outcomes.messages])
    if not untaken:
        return letters
    others = iter(letters)
    return "".join("p" if place in untaken else next(others) for place in range(len(letters) + len(untaken)))


def pack_outcomes(outcomes: Outcomes) -> bytes:
    """Return zlib (level 1) of a JSON array: sent_at, one letter a message, codes, texts."""
    codes = [outcome.code for outcome in outcomes.messages]
    texts = [o.gateway_id if isinstance(o, Accepted) else o.reason for o in outcomes.messages]
    if len(set(codes)) == 1:
        codes = codes[:1]
    return zlib.compress(orjson.dumps([outcomes.sent_at, letters_of(outcomes), codes, texts]), 1)


def unpack_outcomes(packed: bytes) -> Outcomes:
    """Return what `pack_outcomes` was given."""
    sent_at, kinds, codes, texts = orjson.loads(zlib.decompress(packed))
    if len(codes) == 1:
        codes = codes * len(kinds)
    messages: list[MessageOutcome] = []
    for kind, code, text in zip(kinds, codes, texts, strict=True):
        match kind:
            case "a":
                messages.append(Accepted(gateway_id=text, code=code))
            case "r":
                messages.append(Rejected(code=code, reason=text))
            case _:
                messages.append(Unconfirmed(reason=text, code=code))
    return Outcomes(sent_at=sent_at, messages=tuple(messages))
