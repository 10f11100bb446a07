"""Who may not be messaged, and why, in words: suppression lists, and the cap on how often one person is messaged.

The scripts of the ledger name a reason with a code, "REASON@PLACE": "opted-out@global", "dnd@account", "recent@24".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Literal

from worker.domain.delivery import Feedback

MOST_HOURS = 168
"""A frequency cap looks back a week at most: each day of it is one look-up more for every number."""


class Reason(StrEnum):
    """Why a number is on a list; the first reason stays. The codes in Redis have this order, and that of the scopes."""

    HAND = "hand"
    DND = "dnd"
    OPTED_OUT = "opted-out"


class Scope(StrEnum):
    """What a list keeps from a number: everything, or what is promotional."""

    ALL = "all"
    PROMOTIONAL = "promotional"


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppressionList:
    """One list: for everybody (`name` is ""), or for what one account or one sender sends.

    A sender's name counts without regard to the case of its letters (ASCII).
    """

    scope: Scope = Scope.ALL
    kind: Literal["global", "account", "sender"] = "global"
    name: str = ""

    @property
    def place(self) -> str:
        """For whom it holds, in two words: "account main"."""
        return f"{self.kind} {self.name}" if self.name else self.kind


FED_BY: Final[Mapping[Feedback, tuple[SuppressionList, Reason]]] = {
    Feedback.OPTED_OUT: (SuppressionList(), Reason.OPTED_OUT),
    Feedback.REFUSES_PROMOTION: (SuppressionList(scope=Scope.PROMOTIONAL), Reason.DND),
}
"""Where a number goes whose owner refuses messages, and why: everything, or what is promotional."""

EVERY_SENDER: Final = "*"
"""In a sender's place: which one is not known where the lists are looked up, so that the lists of all of them count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checks:
    """What is looked up before somebody is messaged.

    `account` is "" where it is not known yet which of several will send; `sender` is "" where the campaign names none,
    and `EVERY_SENDER` where each message has its own.
    `not_before_hours` is the campaign's cap: nobody whom any campaign messaged within so many hours; 0: no cap.
    """

    account: str
    sender: str
    is_promotional: bool
    not_before_hours: int = 0


_REASONS = {Reason.HAND: "added by hand", Reason.DND: "reported as DND", Reason.OPTED_OUT: "opted out"}
_PLACES = {
    "global": "the global suppression list",
    "account": "the account's suppression list",
    "sender": "the sender's suppression list",
    "senders": "a sender's suppression list (from differs by message, so that every sender's counts)",
}


def reason_words(reason: Reason) -> str:
    """Say why a number is on a list."""
    return _REASONS[reason]


def why(code: str) -> str:
    """Say in words what a script's code means: what a report gives as the reason. An unknown code is its own words."""
    reason, _, place = code.partition("@")
    if reason == "recent" and place.isdigit():
        return f"messaged by a campaign within the last {place} hour{'' if place == '1' else 's'}"
    if reason in _REASONS and place in _PLACES:
        return f"on {_PLACES[place]}: {_REASONS[Reason(reason)]}"
    return code
