"""The rules that a gateway's table of codes is made of, and how a rule becomes a disposition.

Each adapter has its own table, as data; what follows from a verdict is the same at every gateway.
"""

from dataclasses import dataclass, replace
from enum import Enum, auto

from worker.domain.answers import (
    AllRejected,
    Answer,
    Disposition,
    HoldAccount,
    Isolate,
    LeaveAccount,
    Lost,
    PauseCampaign,
    Throttled,
)
from worker.domain.ratelimit import retry_after_s


class Verdict(Enum):
    """The dispositions that a code can decide (see `worker.domain.answers`)."""

    THROTTLED = auto()
    HOLD_ACCOUNT = auto()
    HOLD_FOR_NOW = auto()
    """As HOLD_ACCOUNT, for a reason that may pass by itself: no balance."""
    PAUSE_CAMPAIGN = auto()
    LEAVE_ACCOUNT = auto()
    ALL_REJECTED = auto()
    ISOLATE = auto()
    LOST = auto()


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the table: the verdict, what happened, what to do about it ("" for nothing), and who says so."""

    verdict: Verdict
    what: str
    advice: str
    source: str


def judged(rule: Rule, answer: Answer, code: str, words: str) -> Disposition:  # noqa: PLR0911 - one a verdict
    """Apply a rule to an answer; `words` are the gateway's own, with their speaker, discreet ("" for none)."""
    what = named(rule.what, answer.status, code)
    reason = with_words(f"{what}: {rule.advice}" if rule.advice else what, words)
    match rule.verdict:
        case Verdict.THROTTLED:
            return Throttled(code=code, reason=reason, retry_after_s=retry_after_s(answer))
        case Verdict.HOLD_ACCOUNT:
            return HoldAccount(code=code, reason=reason)
        case Verdict.HOLD_FOR_NOW:
            return HoldAccount(code=code, reason=reason, may_pass=True)
        case Verdict.LEAVE_ACCOUNT:
            return LeaveAccount(code=code, reason=reason)
        case Verdict.PAUSE_CAMPAIGN:
            return PauseCampaign(code=code, reason=reason)
        case Verdict.ALL_REJECTED:
            return AllRejected(code=code, reason=rule.what)  # one reason for all, counted with its code
        case Verdict.ISOLATE:
            return Isolate(code=code, reason=reason)
        case Verdict.LOST:
            return Lost(reason=reason, code=code)


def without_bare_503(rule: Rule, answer: Answer, code: str, refused: frozenset[str]) -> Rule:
    """Apply `documented`: a bare 503 may come from a proxy after the gateway accepted; only a refusal throttles.

    A refusal has one of the codes `refused`, or a `Retry-After`.
    """
    is_refused = code in refused or answer.headers.get("retry-after", "").strip()
    return rule if answer.status != 503 or is_refused else replace(rule, verdict=Verdict.LOST)  # noqa: PLR2004


def named(what: str, status: int, code: str) -> str:
    """Say what happened with the HTTP status and the gateway's code, where it gave one."""
    return f"{what} ({status}/{code})" if code else f"{what} ({status})"


def with_words(reason: str, words: str) -> str:
    """Add what the gateway says itself, where it says anything."""
    return f"{reason}; {words}" if words else reason
