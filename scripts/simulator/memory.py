"""What the simulator saw and took, exactly: the judge of "nobody twice, nobody forgotten".

Every POST leaves an `Arrival`, also one that is refused, reset or left hanging; every call of which a message was
accepted leaves an `Acceptance`, before its answer goes out. Both are kept small, and turned into JSON only when asked.
"""

from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypedDict

from scripts.simulator.answers import message_sid
from scripts.simulator.judge import Verdict
from scripts.simulator.limiter import worst


@dataclass(slots=True, kw_only=True)
class Arrival:
    """One POST: its number from 1, when its head was read, and what became of it.

    `status` is what was sent, `None` where nothing was; `messages` how many were accepted.
    """

    number: int
    at: float
    path: str
    sid: str
    status: int | None = None
    messages: int = 0
    fault: str | None = None
    throttled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """The accepted messages of one call, in columns; no body holds a NUL, so one string holds them all."""

    number: int
    at: float
    custom_field: str
    sid_prefix: str
    positions: bytes
    numbers: "array[int]"
    bodies: str


class Message(TypedDict):
    """One accepted message, as JSON."""

    sid: str
    to: str
    body: str
    request: int
    received_at: str
    custom_field: str


class Stats(TypedDict):
    """The counts, as JSON. `accepted` counts messages, `duplicates` numbers that were accepted more than once.

    `worst_window` is the most requests of one account, refused or not, in any sliding window of the limit's length
    (`None` without a limit), `worst_second` in any second. Instants are seconds since the epoch.
    """

    requests: int
    by_status: dict[str, int]
    accepted: int
    distinct: int
    duplicates: int
    throttled: int
    faults: dict[str, int]
    worst_window: int | None
    worst_second: int
    concurrent: int
    concurrent_max: int
    first_at: float | None
    last_at: float | None


@dataclass(slots=True)
class Memory:
    """Everything since the start or the last reset."""

    arrivals: list[Arrival] = field(default_factory=list)
    acceptances: list[Acceptance] = field(default_factory=list)
    accepted: int = 0
    _numbers: Counter[int] = field(default_factory=Counter)
    _concurrent: int = 0
    _concurrent_max: int = 0

    def arrive(self, *, at: float, path: str, sid: str) -> Arrival:
        """A POST whose head was read at `at`; it is under way until `leave`."""
        arrival = Arrival(number=len(self.arrivals) + 1, at=at, path=path, sid=sid)
        self.arrivals.append(arrival)
        self._concurrent += 1
        self._concurrent_max = max(self._concurrent_max, self._concurrent)
        return arrival

    def leave(self) -> None:
        """A POST was answered, or its connection is gone."""
        self._concurrent -= 1

    def accept(self, arrival: Arrival, verdict: Verdict, sid_prefix: str, at: float) -> None:
        """Every message of `verdict` that did not fail, for good."""
        positions = bytes(position for position in range(len(verdict.given)) if position not in verdict.failed)
        numbers = array("Q", [int(verdict.digits[position]) for position in positions])
        self.acceptances.append(
            Acceptance(
                number=arrival.number,
                at=at,
                custom_field=verdict.custom_field,
                sid_prefix=sid_prefix,
                positions=positions,
                numbers=numbers,
                bodies="\0".join([verdict.bodies[position] for position in positions]),
            )
        )
        self._numbers.update(numbers)
        self.accepted += len(numbers)
        arrival.messages = len(numbers)

    def messages(self, prefix: str = "") -> Iterator[Message]:
        """Every accepted message whose custom field starts with `prefix`, in the order of acceptance."""
        for call in self.acceptances:
            if not call.custom_field.startswith(prefix):
                continue
            received_at = datetime.fromtimestamp(call.at, UTC).isoformat(timespec="microseconds")
            for position, number, body in zip(call.positions, call.numbers, call.bodies.split("\0"), strict=True):
                yield Message(
                    sid=message_sid(call.sid_prefix, position),
                    to=f"+{number}",
                    body=body,
                    request=call.number,
                    received_at=received_at,
                    custom_field=call.custom_field,
                )

    def stats(self, window_s: float | None) -> Stats:
        """The counts; `window_s` is the length of the limit's window."""
        distinct = len(self._numbers)
        by_account: dict[str, list[float]] = {}
        for arrival in self.arrivals:
            by_account.setdefault(arrival.sid, []).append(arrival.at)
        return Stats(
            requests=len(self.arrivals),
            by_status=dict(Counter(str(arrival.status or "none") for arrival in self.arrivals)),
            accepted=self.accepted,
            distinct=distinct,
            duplicates=0 if distinct == self.accepted else sum(count > 1 for count in self._numbers.values()),
            throttled=sum(arrival.throttled for arrival in self.arrivals),
            faults=dict(Counter(arrival.fault for arrival in self.arrivals if arrival.fault)),
            worst_window=None if window_s is None else _worst(by_account, window_s),
            worst_second=_worst(by_account, 1.0),
            concurrent=self._concurrent,
            concurrent_max=self._concurrent_max,
            first_at=self.arrivals[0].at if self.arrivals else None,
            last_at=self.arrivals[-1].at if self.arrivals else None,
        )


def _worst(by_account: dict[str, list[float]], window_s: float) -> int:
    return max((worst(arrivals, window_s) for arrivals in by_account.values()), default=0)
