"""How many segments each message of a stored batch is billed as, counted anew from the values that it was made of.

The number is not stored: report and audit render the bodies again, as the worker does, and production counted the same
bodies when it queued them.
"""

from collections.abc import Callable, Sequence

from worker.domain.content import BatchContent
from worker.domain.content_template import Wording
from worker.domain.segments import segments
from worker.domain.template import MissingValue

CountSegments = Callable[[BatchContent], Sequence[int | None]]
"""Gives the segments of each message of a batch, in its order; `None` where it is not billed by segments."""


def uncounted(content: BatchContent) -> Sequence[None]:
    """Count nothing: for messages that are not billed by segments, and for readers that do not ask."""
    return (None,) * len(content.rows)


def segment_counter(wording: Wording) -> CountSegments:
    """Return what counts the bodies of a campaign with this text."""
    if wording.is_static:
        of_all = _count(wording.bind(())(()))
        return lambda content: (of_all,) * len(content.rows)
    return lambda content: [_count(body) for body in map(wording.bind(content.columns), content.values)]


def _count(body: str | MissingValue) -> int | None:
    # A value can be missing only where a batch was made for another text: then it is not sent either.
    return None if isinstance(body, MissingValue) else segments(body).count
