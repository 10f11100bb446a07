"""What the simulator saw and took, exactly: the judge of "nobody twice, nobody forgotten".

Every call leaves an `Arrival`, also one that is refused, reset or left hanging; every call of which a message was
accepted leaves an `Acceptance`, before its answer goes out. Both are kept small, and turned into JSON only when asked.
"""

from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypedDict

from scripts.simulator.answers import Receipt, message_sid
from scripts.simulator.judge import Verdict
from scripts.simulator.limiter import worst
from scripts.simulator.postman import ReportStats

PREFIX_LENGTH = 24
"""Characters of a Sid that all messages of a call have in common."""


@dataclass(slots=True, kw_only=True)
class Arrival:
    """One call: its number from 1, when its head was read, and what became of it.

    `sid` is the account that it counts for, at whichever gateway. `status` is what was sent, `None` where nothing was;
    `messages` how many were accepted.
    """

    number: int
    at: float
    path: str
    sid: str
    gateway: str
    status: int | None = None
    messages: int = 0
    fault: str | None = None
    throttled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """The accepted messages of one call, in columns; no body holds a NUL, so one string holds them all.

    `custom_fields` and `senders` have one entry where it is the same for all.
    """

    number: int
    at: float
    account: str
    custom_fields: Sequence[str]
    senders: Sequence[str]
    promotional: bool
    sid_prefix: str
    sid_frame: tuple[str, str]
    positions: bytes
    numbers: "array[int]"
    bodies: str

    def sid(self, position: int) -> str:
        """The Sid of the message at `position` of the call."""
        before, after = self.sid_frame
        return f"{before}{message_sid(self.sid_prefix, position)}{after}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What is known of one accepted message."""

    digits: str
    sender: str
    body: str
    at: float
    promotional: bool


class Message(TypedDict):
    """One accepted message, as JSON."""

    sid: str
    to: str
    body: str
    request: int
    received_at: str
    custom_field: str


class GatewayStats(TypedDict):
    """The counts of one gateway."""

    requests: int
    accepted: int
    throttled: int


class Stats(TypedDict):
    """The counts, as JSON. `accepted` counts messages, `duplicates` numbers that were accepted more than once.

    `worst_window` is the most requests of one account, refused or not, in any sliding window of the limit's length
    (`None` without a limit), `worst_second` in any second. Instants are seconds since the epoch. `gets` are the GETs
    for details of a message, which are no requests; `gateways` has the gateways that were called.
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
    gets: int
    gets_throttled: int
    gateways: dict[str, GatewayStats]
    reports: ReportStats


@dataclass(slots=True)
class Memory:
    """Everything since the start or the last reset."""

    arrivals: list[Arrival] = field(default_factory=list)
    acceptances: list[Acceptance] = field(default_factory=list)
    accepted: int = 0
    gets: int = 0
    gets_throttled: int = 0
    _numbers: Counter[int] = field(default_factory=Counter)
    _concurrent: int = 0
    _concurrent_max: int = 0
    _by_prefix: dict[str, Acceptance] = field(default_factory=dict)
    _indexed: int = 0

    def arrive(self, *, at: float, path: str, sid: str, gateway: str) -> Arrival:
        """A call whose head was read at `at`; it is under way until `leave`."""
        arrival = Arrival(number=len(self.arrivals) + 1, at=at, path=path, sid=sid, gateway=gateway)
        self.arrivals.append(arrival)
        self._concurrent += 1
        self._concurrent_max = max(self._concurrent_max, self._concurrent)
        return arrival

    def leave(self) -> None:
        """A call was answered, or its connection is gone."""
        self._concurrent -= 1

    def accept(self, arrival: Arrival, verdict: Verdict, receipt: Receipt, sid_frame: tuple[str, str]) -> None:
        """Every message of `verdict` that did not fail, for good."""
        positions = bytes(position for position in range(len(verdict.given)) if position not in verdict.failed)
        numbers = array("Q", [int(verdict.digits[position]) for position in positions])
        self.acceptances.append(
            Acceptance(
                number=arrival.number,
                at=receipt.at,
                account=receipt.account_sid,
                custom_fields=verdict.custom_fields or (verdict.custom_field,),
                senders=_once(verdict.senders),
                promotional=verdict.promotional,
                sid_prefix=receipt.sid_prefix,
                sid_frame=sid_frame,
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
            received_at = datetime.fromtimestamp(call.at, UTC).isoformat(timespec="microseconds")
            for position, number, body in zip(call.positions, call.numbers, call.bodies.split("\0"), strict=True):
                custom_field = _of(call.custom_fields, position)
                if custom_field.startswith(prefix):
                    yield Message(
                        sid=call.sid(position),
                        to=f"+{number}",
                        body=body,
                        request=call.number,
                        received_at=received_at,
                        custom_field=custom_field,
                    )

    def find(self, sid: str, account: str) -> Iterator[Taken]:
        """The message with this Sid, if the account has it: one or none."""
        for call in self.acceptances[self._indexed :]:
            self._by_prefix[call.sid_prefix] = call
        self._indexed = len(self.acceptances)
        found = self._by_prefix.get(sid[:PREFIX_LENGTH])
        if found is None or found.account != account:
            return
        for index, position in enumerate(found.positions):
            if found.sid(position) == sid:
                yield Taken(
                    digits=str(found.numbers[index]),
                    sender=_of(found.senders, position),
                    body=found.bodies.split("\0")[index],
                    at=found.at,
                    promotional=found.promotional,
                )

    def stats(self, window_s: float | None, reports: ReportStats) -> Stats:
        """The counts; `window_s` is the length of the limit's window, `reports` the postman's counts."""
        distinct = len(self._numbers)
        by_account: dict[tuple[str, str], list[float]] = {}
        for arrival in self.arrivals:
            by_account.setdefault((arrival.gateway, arrival.sid), []).append(arrival.at)
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
            gets=self.gets,
            gets_throttled=self.gets_throttled,
            gateways=self._by_gateway(),
            reports=reports,
        )

    def _by_gateway(self) -> dict[str, GatewayStats]:
        counts: dict[str, GatewayStats] = {}
        for arrival in self.arrivals:
            count = counts.setdefault(arrival.gateway, GatewayStats(requests=0, accepted=0, throttled=0))
            count["requests"] += 1
            count["accepted"] += arrival.messages
            count["throttled"] += arrival.throttled
        return counts


def _worst(by_account: dict[tuple[str, str], list[float]], window_s: float) -> int:
    return max((worst(arrivals, window_s) for arrivals in by_account.values()), default=0)


def _once(values: Sequence[str]) -> Sequence[str]:
    return values[:1] if len(set(values)) == 1 else tuple(values)


def _of(values: Sequence[str], position: int) -> str:
    return values[position] if len(values) > 1 else values[0]
