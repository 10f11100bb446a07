"""The gateway without its sockets: a request's head and body in, what to put on the wire out.

The order of a call: `arrive` when the head was read (number, limiter, fault: what depends on the instant), `settle`
when the body was read (parse, judge, remember, write). A message counts as accepted exactly from the moment
`Memory.accept` has it, which is before anything of the answer, true or faulty, is sent.

The order of the checks: credentials, path, account, limiter, fault, parameters, balance. A call that was refused
before its fault's turn meets no fault.
"""

import base64
import binascii
import hashlib
import math
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from typing import assert_never

from scripts.simulator import answers, refusals
from scripts.simulator.faults import KINDS, FaultDraw, Kind, Page, Wire
from scripts.simulator.form import parse
from scripts.simulator.judge import Verdict, judge_bulksend, judge_send
from scripts.simulator.limiter import Counting, Window, window_for
from scripts.simulator.memory import Arrival, Memory, Stats
from scripts.simulator.options import SimulatorOptions
from scripts.simulator.refusals import Refusal

FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"
_XML = "application/xml"
_RETRY_LATER = frozenset({429, 503})

Clock = Callable[[], float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What is known of a request before its body is read. `path` has no query."""

    method: str
    path: str
    authorization: str = ""
    content_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What to send, and how it travels."""

    status: int
    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    wire: Wire = Wire.WHOLE


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One POST between its head and its answer."""

    head: Head
    memory: Memory
    arrival: Arrival
    refusal: Refusal | None = None
    fault: Kind | None = None
    headers: list[tuple[str, str]] = field(default_factory=list)

    @property
    def wire(self) -> Wire:
        """How the answer will travel, as far as the head decides it."""
        return self.fault.wire if self.fault and not self.fault.accepts else Wire.WHOLE


class Gateway:
    """One simulated host with its accounts. `clock` gives seconds since the epoch and never steps back."""

    def __init__(self, options: SimulatorOptions, clock: Clock) -> None:
        self._clock = clock
        self.memory = Memory()
        self._salt = secrets.token_bytes(16)
        self.options = options
        self._windows: dict[str, Window] = {}
        self._draw = FaultDraw(options.faults, options.seed)

    def reset(self) -> None:
        """Forgets every request, and counts them from 1 again; the options stay, what is left of the balance too."""
        self.memory = Memory()
        self._salt = secrets.token_bytes(16)
        self._windows = {}
        self._draw = FaultDraw(self.options.faults, self.options.seed)

    def configure(self, options: SimulatorOptions) -> None:
        """Goes by `options` from the next request on.

        Another limit starts with empty windows, other faults with a new draw; all that was seen stays.
        """
        before, self.options = self.options, options
        if (before.limit, before.window, before.count_refused) != (
            options.limit,
            options.window,
            options.count_refused,
        ):
            self._windows = {}
        if (before.faults, before.seed) != (options.faults, options.seed):
            self._draw = FaultDraw(options.faults, options.seed)

    def arrive(self, head: Head) -> Exchange:
        """A POST whose head was just read."""
        at = self._clock()
        sid = _sid(head.path)
        exchange = Exchange(head=head, memory=self.memory, arrival=self.memory.arrive(at=at, path=head.path, sid=sid))
        fault = self._draw.draw(exchange.arrival.number)
        exchange.refusal = self._refused_access(head, sid)
        if exchange.refusal is None and self.options.limit is not None:
            exchange.refusal = self._throttle(exchange, at)
        if exchange.refusal is None and fault is not None:
            exchange.fault = KINDS[fault]
            exchange.arrival.fault = fault
        return exchange

    def settle(self, exchange: Exchange, body: bytes) -> Reply:
        """Judges the body, remembers what it accepts, and says what to send."""
        if exchange.refusal is not None:
            return self._refuse(exchange, exchange.refusal)
        fault = exchange.fault
        if fault is not None and not fault.accepts:
            return self._faulty(exchange, fault, Reply(status=0, content_type=_JSON, body=b""))
        verdict = self._judge(exchange.head, body)
        if isinstance(verdict, Refusal):
            exchange.fault = exchange.arrival.fault = None
            return self._refuse(exchange, verdict)
        reply = self._accept(exchange, verdict)
        return reply if fault is None else self._faulty(exchange, fault, reply)

    def other(self, head: Head) -> Reply:
        """A request that is no POST: there is nothing to GET here."""
        refusal = self._refused_access(head, _sid(head.path)) or refusals.UNKNOWN_ENDPOINT
        return _reply(head, refusal)

    def stats(self) -> Stats:
        """The counts so far."""
        return self.memory.stats(self.options.limit.window_s if self.options.limit else None)

    def _refused_access(self, head: Head, sid: str) -> Refusal | None:  # noqa: PLR0911 - one return a refusal
        segments = head.path.removeprefix("/").removesuffix("/").split("/")
        if segments[0] not in {"v1", "v2", "v3"}:
            return refusals.NOT_FOUND
        options = self.options
        refusal = _refused_credentials(head.authorization, f"{options.api_key}:{options.api_token}")
        if refusal is not None:
            return refusal
        match segments:
            case ["v1"]:
                return refusals.NO_ACCOUNTS
            case ["v1", resource, *_] if resource != "Accounts":
                return refusals.NO_ACCOUNTS
            case ["v1", "Accounts", _, *rest] if sid in options.sids or "*" in options.sids:
                return _refused_action(rest)
            case ["v1", *_]:
                return refusals.FORBIDDEN
            case _:
                return refusals.WRONG_VERSION.about(version=segments[0])

    def _throttle(self, exchange: Exchange, at: float) -> Refusal | None:
        options, sid = self.options, exchange.arrival.sid
        limit = options.limit
        if limit is None:
            return None
        window = self._windows.get(sid)
        if window is None:
            window = self._windows[sid] = window_for(
                limit, Counting(kind=options.window, refused=options.count_refused)
            )
        admitted = window.admit(at)
        if options.rate_limit_headers:
            exchange.headers += [
                ("X-RateLimit-Limit", str(limit.calls)),
                ("X-RateLimit-Remaining", str(window.remaining(at))),
                ("X-RateLimit-Reset", str(math.ceil(window.resets_at(at)))),
            ]
        if admitted:
            return None
        exchange.arrival.throttled = True
        return refusals.TOO_MANY_POSTS if options.over == refusals.TOO_MANY_POSTS.status else refusals.THROTTLED

    def _judge(self, head: Head, body: bytes) -> Verdict | Refusal:
        form = parse(body if head.content_type.partition(";")[0].strip().lower() in {FORM, ""} else b"")
        bulk = head.path.removesuffix(".json").endswith("/bulksend")
        verdict = (judge_bulksend if bulk else judge_send)(form, self.options.rejects)
        balance = self.options.balance
        if isinstance(verdict, Verdict) and balance is not None and verdict.accepted > balance:
            return refusals.NO_BALANCE.about(count=verdict.accepted)
        return verdict

    def _accept(self, exchange: Exchange, verdict: Verdict) -> Reply:
        arrival, at = exchange.arrival, self._clock()
        prefix = hashlib.blake2b(b"%d" % arrival.number, digest_size=12, key=self._salt).hexdigest()
        if verdict.accepted:
            exchange.memory.accept(arrival, verdict, prefix, at)
        if self.options.balance is not None:
            self.options = replace(self.options, balance=self.options.balance - verdict.accepted)
        receipt = answers.Receipt(account_sid=arrival.sid, at=at, sid_prefix=prefix)
        as_json = exchange.head.path.endswith(".json")
        arrival.status = answers.status_of(verdict)
        return Reply(
            status=arrival.status,
            content_type=_JSON if as_json else _XML,
            body=(answers.as_json if as_json else answers.as_xml)(verdict, receipt),
            headers=tuple(exchange.headers),
        )

    def _refuse(self, exchange: Exchange, refusal: Refusal) -> Reply:
        exchange.arrival.status = refusal.status
        headers = tuple(exchange.headers)
        if exchange.arrival.throttled:
            headers += self._retry_after()
        return replace(_reply(exchange.head, refusal), headers=headers)

    def _faulty(self, exchange: Exchange, fault: Kind, true: Reply) -> Reply:
        """What is sent in place of the true answer."""
        match fault.answer:
            case None:
                reply = true
            case Page() as page:
                reply = Reply(status=page.status, content_type="text/html", body=page.html.encode())
            case Refusal() as refusal:
                reply = _reply(exchange.head, refusal)
            case _:
                assert_never(fault.answer)
        headers = tuple(exchange.headers)
        if reply.status in _RETRY_LATER and not fault.accepts and fault.answer is not refusals.TRIAL:
            headers += self._retry_after()
        sent = fault.wire not in {Wire.RESET, Wire.RESET_AT_HEAD, Wire.HANG}
        exchange.arrival.status = reply.status if sent else None
        return replace(reply, headers=headers, wire=fault.wire)

    def _retry_after(self) -> tuple[tuple[str, str], ...]:
        seconds = self.options.retry_after_s
        if seconds is None:
            return ()
        if self.options.retry_after_date:
            return (("Retry-After", formatdate(math.ceil(self._clock() + seconds), usegmt=True)),)
        return (("Retry-After", str(seconds)),)


def _sid(path: str) -> str:
    """The account in `/v1/Accounts/<sid>/…`, "" where there is none."""
    segments = path.split("/", 4)
    return segments[3] if segments[1:3] == ["v1", "Accounts"] and len(segments) > 3 else ""  # noqa: PLR2004


def _refused_action(rest: list[str]) -> Refusal | None:
    """What follows the account in the path."""
    match rest:
        case ["Sms", "send" | "send.json" | "bulksend" | "bulksend.json"]:
            return None
        case ["Sms"]:
            return refusals.NO_ACTION
        case ["Sms", *_]:
            return refusals.UNKNOWN_ENDPOINT
        case _:
            return refusals.FORBIDDEN


def _refused_credentials(authorization: str, expected: str) -> Refusal | None:
    """Basic authentication; the code for "non alpha-numeric" is given to a pair that is wrong and looks so."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return refusals.NO_CREDENTIALS
    try:
        pair = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return refusals.MALFORMED_CREDENTIALS
    if pair == expected:
        return None
    return (
        refusals.WRONG_CREDENTIALS
        if pair.replace(":", "", 1).replace("-", "").replace("_", "").isalnum()
        else refusals.MALFORMED_CREDENTIALS
    )


def _reply(head: Head, refusal: Refusal) -> Reply:
    if refusal is refusals.NO_CREDENTIALS:
        return Reply(
            status=refusal.status,
            content_type="text/plain",
            body=refusal.message.encode(),
            headers=(("WWW-Authenticate", 'Basic realm="Exotel"'),),
        )
    if head.path.endswith(".json"):
        return Reply(status=refusal.status, content_type=_JSON, body=answers.refusal_as_json(refusal))
    return Reply(status=refusal.status, content_type=_XML, body=answers.refusal_as_xml(refusal))
