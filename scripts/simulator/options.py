"""What the simulator can be told, on the command line and while it runs.

Everything is parsed here, once; a mistake is a `ConfigError` whose text is the one sentence to show.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from config.errors import ConfigError
from scripts.simulator.codes import is_known
from scripts.simulator.faults import KINDS, Fault
from scripts.simulator.judge import Reject
from scripts.simulator.letters import callback_url
from scripts.simulator.limiter import Limit, WindowKind

Over = Literal[429, 503]
DEFAULT_API_KEY = "sim-key"
DEFAULT_API_TOKEN = "sim-token"  # noqa: S105 - opens nothing but the simulator
T = TypeVar("T")

_LIMIT = re.compile(r"(\d{1,9})/(\d{1,9}(?:\.\d{1,9})?)s?", re.ASCII)
_FAULT = re.compile(r"([a-z0-9-]+)(?::(\d*\.?\d+)|#(\d{1,9})(?:-(\d{1,9}))?)", re.ASCII)
_REJECT = re.compile(r"(\d{1,15})=([0-9A-Z]{1,6})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorOptions:
    """How the gateway behaves. Without any option it accepts every valid message at once.

    `sids`: the accounts it knows, "*" for any. `retry_after_s`: sent with a 429 or 503 that accepts nothing, but not
    with 40404 (`None`: never), as an HTTP date under `retry_after_date`. `balance`: messages that may still be
    accepted; it shrinks as they are. `get_limit`: of the GETs for details of a message.

    `reports_s`: seconds from acceptance to the final delivery report (`None`: there are none, and a message's details
    stay "submitted"). Of all numbers, `report_failures` is the share that is reported undelivered, `report_twice` the
    share whose report comes twice, `report_early` the share whose report comes before the call's answer;
    `report_shuffle` gives every report a delay of its own. `report_rejects` fail by number. All follow from `seed` and
    the number alone.
    """

    api_key: str = DEFAULT_API_KEY
    api_token: str = DEFAULT_API_TOKEN
    sids: tuple[str, ...] = ("sim",)
    limit: Limit | None = None
    window: WindowKind = WindowKind.SLIDING
    over: Over = 429
    count_refused: bool = False
    retry_after_s: int | None = None
    retry_after_date: bool = False
    rate_limit_headers: bool = False
    latency_ms: float = 0.0
    drip_ms: float = 100.0
    faults: tuple[Fault, ...] = ()
    seed: int = 0
    balance: int | None = None
    rejects: tuple[Reject, ...] = ()
    get_limit: Limit | None = None
    reports_s: float | None = None
    report_failures: float = 0.0
    report_twice: float = 0.0
    report_early: float = 0.0
    report_shuffle: bool = False
    report_rejects: tuple[Reject, ...] = ()
    skycore_postback: str | None = None

    def described(self) -> dict[str, Any]:
        """As JSON, in the words of the command line, without the credentials."""
        return {
            "sids": list(self.sids),
            "limit": str(self.limit) if self.limit else None,
            "window": self.window.value,
            "over": self.over,
            "count_refused": self.count_refused,
            "retry_after_s": self.retry_after_s,
            "retry_after_date": self.retry_after_date,
            "rate_limit_headers": self.rate_limit_headers,
            "latency_ms": self.latency_ms,
            "drip_ms": self.drip_ms,
            "faults": [str(fault) for fault in self.faults],
            "seed": self.seed,
            "balance": self.balance,
            "rejects": [str(reject) for reject in self.rejects],
            "get_limit": str(self.get_limit) if self.get_limit else None,
            "reports_s": self.reports_s,
            "report_failures": self.report_failures,
            "report_twice": self.report_twice,
            "report_early": self.report_early,
            "report_shuffle": self.report_shuffle,
            "report_rejects": [str(reject) for reject in self.report_rejects],
            "skycore_postback": self.skycore_postback,
        }


def parse_limit(text: str) -> Limit:
    """`50/60s`: calls, and the seconds of the window (a fraction is allowed)."""
    match = _LIMIT.fullmatch(text)
    if match is None or not int(match[1]) or not float(match[2]):
        msg = f"limit {text!r} is not of the form CALLS/SECONDSs with both above 0, as in 50/60s"
        raise ConfigError(msg)
    return Limit(calls=int(match[1]), window_s=float(match[2]))


def parse_over(text: str) -> Over:
    """`429` or `503`: the two documented answers to a call over the limit."""
    match text:
        case "429":
            return 429
        case "503":
            return 503
        case _:
            msg = f"over {text!r} is neither 429 nor 503"
            raise ConfigError(msg)


def parse_fault(text: str) -> Fault:
    """`reset:0.01` (a share of the requests), `hang#3` or `429#3-5` (requests by number, from 1)."""
    match = _FAULT.fullmatch(text)
    if match is None:
        msg = f"fault {text!r} is not of the form KIND:SHARE, KIND#N or KIND#N-M"
        raise ConfigError(msg)
    kind, share, first, last = match.groups()
    if kind not in KINDS:
        msg = f"fault {text!r} is of no known kind; the kinds are {', '.join(KINDS)}"
        raise ConfigError(msg)
    if share is not None:
        if float(share) > 1:
            msg = f"fault {text!r} has a share above 1"
            raise ConfigError(msg)
        return Fault(kind=kind, share=float(share))
    fault = Fault(kind=kind, first=int(first), last=int(last or first))
    if not 1 <= fault.first <= fault.last:
        msg = f"fault {text!r} names no request: they are numbered from 1"
        raise ConfigError(msg)
    return fault


def parse_reject(text: str) -> Reject:
    """`99=23040`: numbers that end in 99 fail with this code, at the gateway that has it."""
    match = _REJECT.fullmatch(text)
    if match is None or not is_known(match[2]):
        msg = f"reject {text!r} is not of the form SUFFIX=CODE with a gateway's documented code of a failure"
        raise ConfigError(msg)
    return Reject(suffix=match[1], code=match[2])


def parse_postback(text: str) -> str:
    """A URL that Skycore's reports can be posted to."""
    if not callback_url(text):
        msg = f"postback {text!r} is no http or https URL"
        raise ConfigError(msg)
    return text


def with_shares_checked(options: SimulatorOptions) -> SimulatorOptions:
    """The same options, unless the shares of the faults exceed the whole."""
    if sum(fault.share for fault in options.faults) > 1:
        msg = "the shares of the faults add up to more than 1"
        raise ConfigError(msg)
    return options


def changed(options: SimulatorOptions, document: bytes) -> SimulatorOptions:
    """The options with what a JSON document names replaced; its fields are those of `described`."""
    try:
        change = _Change.model_validate_json(document)
    except ValidationError as error:
        first = error.errors()[0]
        msg = f"{'.'.join(map(str, first['loc'])) or 'document'}: {first['msg']}"
        raise ConfigError(msg) from error
    values = {name: getattr(change, name) for name in change.model_fields_set}
    return with_shares_checked(replace(options, **values))


def _parsed(parse: Callable[[str], T]) -> BeforeValidator:
    return BeforeValidator(lambda given: parse(given) if isinstance(given, str) else given)


_Share = Annotated[float, Field(ge=0, le=1)]


class _Change(BaseModel):
    """The document of a change: what it leaves out stays as it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sids: tuple[str, ...] = ()
    limit: Annotated[Limit | None, _parsed(parse_limit)] = None
    window: WindowKind = WindowKind.SLIDING
    over: Over = 429
    count_refused: bool = False
    retry_after_s: Annotated[int, Field(ge=0)] | None = None
    retry_after_date: bool = False
    rate_limit_headers: bool = False
    latency_ms: Annotated[float, Field(ge=0)] = 0.0
    drip_ms: Annotated[float, Field(ge=0)] = 0.0
    faults: tuple[Annotated[Fault, _parsed(parse_fault)], ...] = ()
    seed: int = 0
    balance: Annotated[int, Field(ge=0)] | None = None
    rejects: tuple[Annotated[Reject, _parsed(parse_reject)], ...] = ()
    get_limit: Annotated[Limit | None, _parsed(parse_limit)] = None
    reports_s: Annotated[float, Field(ge=0)] | None = None
    report_failures: _Share = 0.0
    report_twice: _Share = 0.0
    report_early: _Share = 0.0
    report_shuffle: bool = False
    report_rejects: tuple[Annotated[Reject, _parsed(parse_reject)], ...] = ()
    skycore_postback: Annotated[str, AfterValidator(parse_postback)] | None = None
