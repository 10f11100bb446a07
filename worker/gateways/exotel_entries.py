"""Reads the array of Exotel's bulk answers: which entry belongs to which message, and what it says of it.

The reference promises neither the array's order nor its length, and its own samples leave `To` out of a failed entry
or spell it anew (dynamic bulk, "Example Response (Partial Success)"). So an entry counts for the message at its place
only while nothing in the answer contradicts that; once something does, only an unmistakable `To` counts. A message
without an entry of its own is `Unconfirmed`, never `Rejected`: nobody else's refusal becomes hers.
"""

import re
from collections.abc import Mapping, Sequence

from worker.domain.answers import Accepted, MessageOutcome, Rejected, Unconfirmed
from worker.domain.batch import Message
from worker.domain.identity import same_number
from worker.gateways.exotel_codes import DETAILS
from worker.gateways.json_answer import code_of, text_of

Entry = Mapping[str, object]

_SID = re.compile(r"[0-9A-Za-z_.:-]{1,128}", re.ASCII)
_DETAIL = re.compile(r"[A-Z][A-Z0-9_]{1,63}", re.ASCII)

_NOT_NAMED = Unconfirmed(reason="the answer has no entry that is certainly this message's")
_NOT_TAKEN = Unconfirmed(reason="the entry shows neither an id nor a failure")


def entries_of(document: object) -> list[Entry] | None:
    """List the entries of an answer's document, an empty one for each that has not the documented form.

    `None` if it is no array. One entry may stand bare, as after a single send.
    """
    if isinstance(document, dict) and "SMSMessage" in document:
        document = [document]
    if not isinstance(document, list):
        return None
    entries = [item.get("SMSMessage") if isinstance(item, dict) else None for item in document]
    return [entry if isinstance(entry, dict) else {} for entry in entries]


def outcomes_of(entries: Sequence[Entry], messages: Sequence[Message]) -> tuple[MessageOutcome, ...]:
    """One outcome a message, in the messages' order."""
    mine = _by_place(entries, messages)
    if mine is None:
        mine = [_only_entry_for(message, entries, messages) for message in messages]
    bodies_tell = len({message.body for message in messages}) > 1
    return tuple(
        _NOT_NAMED if entry is None or (bodies_tell and not _repeats_body(entry, message)) else _outcome(entry)
        for entry, message in zip(mine, messages, strict=True)
    )


def _by_place(entries: Sequence[Entry], messages: Sequence[Message]) -> list[Entry | None] | None:
    """Give each message the entry at its place.

    `None` where places can not be trusted: another number of entries, or one that names anybody else. Entries that
    name nobody would be taken for the wrong people's if the array were shifted.
    """
    if len(entries) != len(messages):
        return None
    for entry, message in zip(entries, messages, strict=True):
        echo = _echo(entry, "To")
        if echo and not same_number(echo, message.to):
            return None
    return list(entries)


def _only_entry_for(message: Message, entries: Sequence[Entry], messages: Sequence[Message]) -> Entry | None:
    """Find the entry whose `To` names this message, if it is the only one that does and names no other message."""
    found = [entry for entry in entries if (echo := _echo(entry, "To")) and same_number(echo, message.to)]
    if len(found) != 1:
        return None
    echo = _echo(found[0], "To")
    return found[0] if sum(same_number(echo, other.to) for other in messages) == 1 else None


def _repeats_body(entry: Entry, message: Message) -> bool:
    """Whether the entry does not contradict the message's text; white space may differ."""
    body = _echo(entry, "Body")
    return not body or body == message.body or body.split() == message.body.split()


def _echo(entry: Entry, key: str) -> str:
    """Give what the entry repeats of the message, "" for nothing; what is no text and no number repeats no message."""
    value = entry.get(key)
    return "" if value is None else text_of(value) or ("" if value == "" else "?")


def _outcome(entry: Entry) -> MessageOutcome:
    sid, state = text_of(entry.get("Sid")), entry.get("Status")
    code = code_of(entry.get("DetailedStatusCode"))
    # "failed", "failed-dnd" in the reference, "failed_dnd" in Exotel's console. A failure with an id is a failure.
    if isinstance(state, str) and state.strip().casefold().startswith("failed"):
        return Rejected(code=code, reason=_detail(entry, code))
    if _SID.fullmatch(sid):
        return Accepted(gateway_id=sid, code=code)
    return _NOT_TAKEN


def _detail(entry: Entry, code: str) -> str:
    detail = entry.get("DetailedStatus")
    if isinstance(detail, str) and _DETAIL.fullmatch(detail):
        return detail
    return DETAILS.get(code, "FAILED")
