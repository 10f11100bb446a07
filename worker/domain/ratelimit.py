"""How long a gateway asks to be left alone, read from an answer's headers.

The headers are the gateway's word and may hold anything: what can not be read is `None`, never an exception and never
a guess. Sources: RFC 9110 sections 10.2.3 (Retry-After) and 5.6.7 (dates); Exotel's page "Rate limiting" for
`X-RateLimit-Remaining` and `X-RateLimit-Reset` (seconds since the epoch).
"""

import re
from datetime import UTC
from email.utils import parsedate_to_datetime

from worker.domain.answers import Answer

LONGEST_PAUSE_S = 30 * 86400.0
"""No pause is longer: a cap against nonsense only, longer than any that a gateway means."""

LONGEST_EXHAUSTION_S = 900.0
"""A window that is used up without a refusal holds us back no longer than this."""

_DECIMAL = re.compile(r"[0-9]{1,100}(\.[0-9]{1,9})?", re.ASCII)
_EPOCH_FROM_S = 1e9
_EPOCH_FROM_MS = 1e11


def retry_after_s(answer: Answer) -> float | None:
    """Seconds from the answer until the gateway wants the next call; `None` where it does not say.

    `Retry-After` (seconds or a date) goes before `X-RateLimit-Reset`, which counts only where nothing remains.
    """
    pause_s = _retry_after_s(answer)
    if pause_s is None and _remaining(answer) in (None, 0.0):
        pause_s = _until_reset_s(answer)
    return None if pause_s is None else min(pause_s, LONGEST_PAUSE_S)


def exhausted_for_s(answer: Answer) -> float | None:
    """Seconds until the window of a 2xx answer that used up its last call is reset; `None` where calls remain."""
    if answer.status // 100 != 2 or _remaining(answer) != 0:  # noqa: PLR2004  (the class of success)
        return None
    pause_s = _until_reset_s(answer)
    return None if pause_s is None else min(pause_s, LONGEST_EXHAUSTION_S)


def _retry_after_s(answer: Answer) -> float | None:
    text = answer.headers.get("retry-after", "")
    # The header given twice arrives as a list: the longer wait is right for both.
    numbers = [_number(part) for part in text.split(",")]
    seconds = max((number for number in numbers if number is not None), default=None) if None not in numbers else None
    if seconds is None:
        at = _date_s(text)
        seconds = None if at is None else at - _answered_at(answer)
    return _positive(seconds)


def _until_reset_s(answer: Answer) -> float | None:
    """`X-RateLimit-Reset` as seconds from the answer: small values are seconds to go, very large ones milliseconds."""
    reset = _number(answer.headers.get("x-ratelimit-reset", ""))
    if reset is None:
        return None
    if reset < _EPOCH_FROM_S:
        return _positive(reset)
    return _positive((reset / 1000 if reset >= _EPOCH_FROM_MS else reset) - _answered_at(answer))


def _remaining(answer: Answer) -> float | None:
    return _number(answer.headers.get("x-ratelimit-remaining", ""))


def _answered_at(answer: Answer) -> float:
    """Prefer the gateway's own clock: only the difference of two of its own times is free of ours."""
    at = _date_s(answer.headers.get("date", ""))
    return answer.received_at if at is None else at


def _number(text: str) -> float | None:
    text = text.strip()
    return float(text) if _DECIMAL.fullmatch(text) else None


def _date_s(text: str) -> float | None:
    try:
        at = parsedate_to_datetime(text.strip())
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (TypeError, ValueError, OverflowError, IndexError):
        return None


def _positive(seconds: float | None) -> float | None:
    return seconds if seconds is not None and seconds > 0 else None
