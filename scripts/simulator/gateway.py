"""All gateways without their sockets: a request's head and body in, what to put on the wire out.

The order of a call: `arrive` when the head was read (number, limiter, fault: what depends on the instant), `settle`
when the body was read (parse, judge, remember, write). A message counts as accepted exactly from the moment
`Memory.accept` has it, which is before anything of the answer, true or faulty, is sent. Where only the body says who
calls, the limiter waits for it.

The order of the checks: credentials, path, account, limiter, fault, parameters, balance. A call that was refused
before its fault's turn meets no fault.
"""

import hashlib
import math
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from email.utils import formatdate
from typing import assert_never

from scripts.simulator import details, refusals
from scripts.simulator.answers import Receipt
from scripts.simulator.dialect import JSON, Dialect, Head, Reply
from scripts.simulator.exotel_sms import ExotelSms, details_sid
from scripts.simulator.exotel_whatsapp import ExotelWhatsApp
from scripts.simulator.fate import fate_of
from scripts.simulator.faults import KINDS, FaultDraw, Kind, Page, Wire
from scripts.simulator.judge import Verdict
from scripts.simulator.letters import Letter
from scripts.simulator.limiter import Counting, Limit, Window, window_for
from scripts.simulator.memory import Arrival, Memory, Stats, Taken
from scripts.simulator.options import SimulatorOptions
from scripts.simulator.postman import Postman
from scripts.simulator.refusals import Refusal
from scripts.simulator.reports import final_code, letters
from scripts.simulator.skycore import Skycore
from scripts.simulator.xtend_sms import XtendSms
from scripts.simulator.xtend_whatsapp import XtendWhatsApp

_RETRY_LATER = frozenset({429, 503})
_EXOTEL_SMS = ExotelSms()
_EXOTEL_WHATSAPP = ExotelWhatsApp()
_DIALECTS: tuple[Dialect, ...] = (_EXOTEL_SMS, _EXOTEL_WHATSAPP, XtendSms(), XtendWhatsApp(), Skycore())

Clock = Callable[[], float]


def dialect_of(head: Head) -> Dialect:
    """The gateway that a request is for; Exotel SMS answers for what is for none."""
    return next((dialect for dialect in _DIALECTS if dialect.serves(head)), _EXOTEL_SMS)


def is_call(head: Head) -> bool:
    """Whether a request may send: every POST, and at Xtend SMS a GET too."""
    return head.method == "POST" or (head.method == "GET" and dialect_of(head).names_caller_in_body)


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One call between its head and its answer. `drawn` is the fault it will meet if nothing speaks against it."""

    head: Head
    dialect: Dialect
    memory: Memory
    arrival: Arrival
    drawn: str | None
    refusal: Refusal | None = None
    fault: Kind | None = None
    headers: list[tuple[str, str]] = field(default_factory=list)

    @property
    def wire(self) -> Wire:
        """How the answer will travel, as far as the head decides it."""
        return self.fault.wire if self.fault and not self.fault.accepts else Wire.WHOLE

    def meet_fault(self) -> None:
        """The drawn fault takes effect, if any was drawn."""
        if self.drawn is not None:
            self.fault = KINDS[self.drawn]
            self.arrival.fault = self.drawn


class Gateway:
    """One simulated host with the accounts of five gateways.

    `clock` gives seconds since the epoch and never steps back; `postman` takes the delivery reports.
    """

    def __init__(self, options: SimulatorOptions, clock: Clock, postman: Postman) -> None:
        self._clock = clock
        self.postman = postman
        self.options = options
        self._draw = FaultDraw(options.faults, options.seed)
        self.reset()

    def reset(self) -> None:
        """Forgets every request, and counts them from 1 again; the options stay, what is left of the balance too."""
        self.memory = Memory()
        self.postman.forget()
        self._salt = secrets.token_bytes(16)
        self._forget_windows()
        self._draw = FaultDraw(self.options.faults, self.options.seed)

    def _forget_windows(self) -> None:
        self._windows: dict[tuple[str, str], Window] = {}
        self._get_windows: dict[tuple[str, str], Window] = {}

    def configure(self, options: SimulatorOptions) -> None:
        """Goes by `options` from the next request on.

        Another limit starts with empty windows, other faults with a new draw; all that was seen stays.
        """
        before, self.options = self.options, options
        if _counted(before) != _counted(options):
            self._forget_windows()
        if (before.faults, before.seed) != (options.faults, options.seed):
            self._draw = FaultDraw(options.faults, options.seed)

    def arrive(self, head: Head) -> Exchange:
        """A call whose head was just read."""
        dialect = dialect_of(head)
        sid = "" if dialect.names_caller_in_body else dialect.caller(head, b"")
        arrival = self.memory.arrive(at=self._clock(), path=head.path, sid=sid, gateway=dialect.gateway)
        drawn = self._draw.draw(arrival.number)
        exchange = Exchange(head=head, dialect=dialect, memory=self.memory, arrival=arrival, drawn=drawn)
        if not dialect.names_caller_in_body:
            self._admit(exchange, b"")
        elif drawn is not None and KINDS[drawn].wire is Wire.RESET_AT_HEAD:
            exchange.meet_fault()
        return exchange

    def settle(self, exchange: Exchange, body: bytes) -> Reply:
        """Judges the body, remembers what it accepts, and says what to send."""
        if exchange.dialect.names_caller_in_body:
            exchange.arrival.sid = exchange.dialect.caller(exchange.head, body)
            self._admit(exchange, body)
        if exchange.refusal is not None:
            return self._refuse(exchange, exchange.refusal)
        fault = exchange.fault
        if fault is not None and not fault.accepts:
            return self._faulty(exchange, fault, Reply(status=0, content_type=JSON, body=b""))
        verdict = self._judge(exchange, body)
        if isinstance(verdict, Refusal):
            exchange.fault = exchange.arrival.fault = None
            return self._refuse(exchange, verdict)
        if fault is not None and fault.untaken and exchange.dialect is _EXOTEL_WHATSAPP:
            verdict = _without_the_last(verdict, fault.untaken)
        reply = self._accept(exchange, verdict)
        return reply if fault is None else self._faulty(exchange, fault, reply)

    def other(self, head: Head) -> Reply:
        """A request that can not send: the details of a message, or nothing."""
        sid = details_sid(head.path) if head.method == "GET" else ""
        if sid:
            return self._details(head, sid)
        dialect = dialect_of(head)
        refusal = dialect.refused_access(head, b"", self.options) or refusals.UNKNOWN_ENDPOINT
        return dialect.refuse(head, refusal)

    def stats(self) -> Stats:
        """The counts so far."""
        return self.memory.stats(self.options.limit.window_s if self.options.limit else None, self.postman.stats)

    def _admit(self, exchange: Exchange, body: bytes) -> None:
        """Credentials, path and account, then the limiter, then the fault."""
        exchange.refusal = exchange.dialect.refused_access(exchange.head, body, self.options)
        if exchange.refusal is None and self.options.limit is not None:
            exchange.refusal = self._throttle(exchange, self.options.limit)
        if exchange.refusal is None:
            exchange.meet_fault()

    def _throttle(self, exchange: Exchange, limit: Limit) -> Refusal | None:
        options, arrival = self.options, exchange.arrival
        window = self._window(self._windows, (arrival.gateway, arrival.sid), limit)
        admitted = window.admit(arrival.at)
        if options.rate_limit_headers:
            exchange.headers += [
                ("X-RateLimit-Limit", str(limit.calls)),
                ("X-RateLimit-Remaining", str(window.remaining(arrival.at))),
                ("X-RateLimit-Reset", str(math.ceil(window.resets_at(arrival.at)))),
            ]
        if admitted:
            return None
        arrival.throttled = True
        return refusals.TOO_MANY_POSTS if options.over == refusals.TOO_MANY_POSTS.status else refusals.THROTTLED

    def _window(self, windows: dict[tuple[str, str], Window], key: tuple[str, str], limit: Limit) -> Window:
        if key not in windows:
            counting = Counting(kind=self.options.window, refused=self.options.count_refused)
            windows[key] = window_for(limit, counting)
        return windows[key]

    def _details(self, head: Head, sid: str) -> Reply:
        """A GET for the details of one message, within the limit of GETs."""
        account, at = _EXOTEL_SMS.caller(head, b""), self._clock()
        self.memory.gets += 1
        refusal = _EXOTEL_SMS.refused_reader(head, self.options)
        if refusal is not None:
            return _EXOTEL_SMS.refuse(head, refusal)
        limit = self.options.get_limit
        if limit is not None and not self._window(self._get_windows, ("", account), limit).admit(at):
            self.memory.gets_throttled += 1
            return replace(_EXOTEL_SMS.refuse(head, refusals.TOO_MANY_GETS), headers=self._retry_after())
        for taken in self.memory.find(sid, account):
            return _EXOTEL_SMS.tell(head, self._standing(taken, account, sid, at))
        return _EXOTEL_SMS.refuse(head, refusals.NO_MATCH)

    def _standing(self, taken: Taken, account: str, sid: str, now: float) -> details.Details:
        code, changed_at = details.PENDING, taken.at
        if self.options.reports_s is not None:
            fate = fate_of(taken.digits, _EXOTEL_SMS.gateway, self.options)
            if taken.at + fate.final_s <= now:
                code, changed_at = final_code(fate, promotional=taken.promotional), taken.at + fate.final_s
        return details.Details(
            account_sid=account,
            sid=sid,
            digits=taken.digits,
            sender=taken.sender,
            body=taken.body,
            at=taken.at,
            code=code,
            changed_at=changed_at,
        )

    def _judge(self, exchange: Exchange, body: bytes) -> Verdict | Refusal:
        verdict = exchange.dialect.judge(exchange.head, body, self.options)
        balance = self.options.balance
        if isinstance(verdict, Verdict) and balance is not None and verdict.accepted > balance:
            return refusals.NO_BALANCE.about(count=verdict.accepted)
        return verdict

    def _accept(self, exchange: Exchange, verdict: Verdict) -> Reply:
        arrival, dialect = exchange.arrival, exchange.dialect
        prefix = hashlib.blake2b(b"%d" % arrival.number, digest_size=12, key=self._salt).hexdigest()
        receipt = Receipt(account_sid=arrival.sid, at=self._clock(), sid_prefix=prefix)
        if verdict.accepted:
            exchange.memory.accept(arrival, verdict, receipt, dialect.sid_frame)
        if self.options.balance is not None:
            self.options = replace(self.options, balance=self.options.balance - verdict.accepted)
        early: tuple[Letter, ...] = ()
        if self.options.reports_s is not None and verdict.callbacks:
            early = self._report(dialect, verdict, receipt)
        reply = dialect.answer(exchange.head, verdict, receipt)
        arrival.status = reply.status
        return replace(reply, headers=tuple(exchange.headers), early=early) if exchange.headers or early else reply

    def _report(self, dialect: Dialect, verdict: Verdict, receipt: Receipt) -> tuple[Letter, ...]:
        """Hands over the reports that come later, and returns those that come before the answer."""
        written = list(letters(dialect.gateway, verdict, receipt, self.options))
        self.postman.post_later([letter for letter in written if not letter.early])
        return tuple(letter for letter in written if letter.early)

    def _refuse(self, exchange: Exchange, refusal: Refusal) -> Reply:
        exchange.arrival.status = refusal.status
        headers = tuple(exchange.headers)
        if exchange.arrival.throttled:
            headers += self._retry_after()
        reply = exchange.dialect.refuse(exchange.head, refusal)
        return replace(reply, headers=reply.headers + headers)

    def _faulty(self, exchange: Exchange, fault: Kind, true: Reply) -> Reply:
        """What is sent in place of the true answer."""
        match fault.answer:
            case None:
                reply = true
            case Page() as page:
                reply = Reply(status=page.status, content_type="text/html", body=page.html.encode())
            case Refusal() as refusal:
                reply = exchange.dialect.refuse(exchange.head, refusal)
            case _:
                assert_never(fault.answer)
        headers = tuple(exchange.headers)
        if reply.status in _RETRY_LATER and not fault.accepts and fault.answer is not refusals.TRIAL:
            headers += self._retry_after()
        sent = fault.wire not in {Wire.RESET, Wire.RESET_AT_HEAD, Wire.HANG}
        exchange.arrival.status = reply.status if sent else None
        return replace(reply, headers=headers, wire=fault.wire, early=true.early)

    def _retry_after(self) -> tuple[tuple[str, str], ...]:
        seconds = self.options.retry_after_s
        if seconds is None:
            return ()
        if self.options.retry_after_date:
            return (("Retry-After", formatdate(math.ceil(self._clock() + seconds), usegmt=True)),)
        return (("Retry-After", str(seconds)),)


def _without_the_last(verdict: Verdict, code: str) -> Verdict:
    """The verdict with the last fifth of the messages failed, but for those that have failed already."""
    total = len(verdict.given)
    untaken = dict.fromkeys(range(total - math.ceil(total / 5), total), code)
    return replace(verdict, failed={**untaken, **verdict.failed})


def _counted(options: SimulatorOptions) -> tuple[object, ...]:
    """What decides how calls are counted."""
    return options.limit, options.window, options.count_refused, options.get_limit
