"""What a dry run counts while it reads: rows by outcome, the first of each kind, samples, segments, batches by size.

It is given each stretch as production would write it, and works on a stretch at a time: a dry run reads as fast as a
production does.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from worker.domain.billing import CountSegments
from worker.domain.content import Passed
from worker.domain.lookalikes import replaced
from worker.domain.segments import are_plain, is_gsm, segments, total_segments
from worker.intake.batches import Check
from worker.intake.campaign import Campaign
from worker.intake.stretch import Prepared

FIRST_ROWS = 3
ONE_SEGMENT = 70
"""A text of so many characters takes one segment in either alphabet, or has a character that nothing can replace."""
KINDS = ("invalid", "duplicate", "suppressed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One message as it would be sent."""

    row: int
    to: str
    body: str

    @classmethod
    def at(cls, prepared: Prepared, place: int) -> "Sample":
        """Return the message at this place of a stretch."""
        content = prepared.content
        return cls(row=content.rows[place], to=f"+{content.numbers[place]}", body=prepared.bodies[place])


@dataclass(slots=True, kw_only=True)
class Tally:
    """The counts so far. `batches` are by their number of messages; `samples` by what they show.

    `ascii_saves`: the segments that look-alikes cost, or, where they are replaced, that this saves. `check` says of a
    replaced body why it could not be sent, "" where it could. `before_ascii` counts the bodies with their look-alikes.
    """

    campaign: Campaign
    check: Check
    before_ascii: CountSegments
    rows: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    segments: int = 0
    ascii_saves: int = 0
    batches: Counter[int] = field(default_factory=Counter)
    samples: dict[str, Sample] = field(default_factory=dict)
    first_rows: dict[str, list[Passed]] = field(default_factory=lambda: {kind: [] for kind in KINDS})

    @property
    def queued(self) -> int:
        """The messages that would be queued."""
        return sum(size * count for size, count in self.batches.items())

    def add(self, prepared: Prepared) -> None:
        """Count one stretch."""
        self.rows += prepared.rows
        self.counts.update({kind: getattr(prepared, kind) for kind in KINDS})
        if any(self.counts[kind] > len(self.first_rows[kind]) < FIRST_ROWS for kind in KINDS):
            self._keep_first(prepared.content.passed)
        if not prepared.bodies:
            return
        self.batches[len(prepared.bodies)] += 1
        self._keep_samples(prepared)
        if self.campaign.has_segments:
            self._count_segments(prepared)

    def _keep_first(self, passed: Iterable[Passed]) -> None:
        for row in passed:
            if len(self.first_rows[row.outcome]) < FIRST_ROWS:
                self.first_rows[row.outcome].append(row)

    def _keep_samples(self, prepared: Prepared) -> None:
        bodies, samples = prepared.bodies, self.samples
        samples.setdefault("first", Sample.at(prepared, 0))
        longest = max(bodies, key=len)
        if "longest" not in samples or len(longest) > len(samples["longest"].body):
            samples["longest"] = Sample.at(prepared, bodies.index(longest))

    def _count_segments(self, prepared: Prepared) -> None:
        bodies = prepared.bodies
        taken = total_segments(bodies)
        self.segments += taken
        if self.campaign.ascii:
            self.ascii_saves += sum(filter(None, self.before_ascii(prepared.content))) - taken
        if are_plain(bodies):
            return
        if "not GSM" not in self.samples:
            place = next((place for place, body in enumerate(bodies) if not is_gsm(body)), None)
            if place is not None:
                self.samples["not GSM"] = Sample.at(prepared, place)
        if not self.campaign.ascii:
            self.ascii_saves += sum(self._saved(body) for body in bodies if len(body) > ONE_SEGMENT)

    def _saved(self, body: str) -> int:
        plain = replaced(body)
        return 0 if plain is body or self.check(plain) else segments(body).count - segments(plain).count


def sample_objects(tally: Tally) -> list[dict[str, Any]]:
    """Return the samples for JSON, each row once, with what it `shows`."""
    shown: dict[int, tuple[Sample, list[str]]] = {}
    for what, sample in tally.samples.items():
        shown.setdefault(sample.row, (sample, []))[1].append(what)
    return [
        {
            "row": sample.row,
            "to": sample.to,
            "body": sample.body,
            "segments": segments(sample.body).count if tally.campaign.has_segments else None,
            "shows": shows,
        }
        for sample, shows in shown.values()
    ]


def first_row_objects(tally: Tally) -> Mapping[str, list[dict[str, Any]]]:
    """Return the first rows that would not be queued, for JSON, by their outcome."""
    return {
        kind: [{"row": row.row, "to": row.to, "reason": row.reason} for row in rows]
        for kind, rows in tally.first_rows.items()
    }
