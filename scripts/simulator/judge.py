"""Judges the parameters of one Exotel SMS call: a `Refusal` of the whole, or a `Verdict` with one judgement a message.

Step 2 of a call, pure: what the documents "Send SMS", "Static bulk" and "Dynamic bulk" say about parameters, and two
triggers of our own for tests: a body with `[[poison]]` refuses its whole call (400/40202), and a `Reject` fails every
number that ends so. A verdict is kept in columns, not objects a message: 100 of them are judged thousands of times a
second. Verdict, Reject and `canonical` serve every gateway.
"""

import enum
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from scripts.simulator import refusals
from scripts.simulator.form import Form
from scripts.simulator.letters import callback_url
from scripts.simulator.refusals import Refusal

MAX_MESSAGES = 100
MAX_BODY_CHARACTERS = 2000
POISON = "[[poison]]"
DEFAULT_SENDER = "EXOSIM"

MISSING_BODY = "23000"
INVALID_NUMBER = "23010"
INVALID_MESSAGE = "23070"

_INDIAN = re.compile(r"(?:\+?91|0)?([6-9]\d{9})", re.ASCII)
_FOREIGN = re.compile(r"(?:\+|00)(?!91)([1-9]\d{7,14})|(?!91)([1-9]\d{10,14})", re.ASCII)
_PROMOTIONAL = "promotional"
_SMS_TYPES = frozenset({"transactional", "transactional_opt_in", _PROMOTIONAL})
_ENCODINGS = frozenset({"plain", "unicode"})


class Shape(enum.Enum):
    """What kind of call it is: one message, one body to many, or a body each."""

    SINGLE = enum.auto()
    STATIC = enum.auto()
    DYNAMIC = enum.auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """Numbers that end in `suffix` fail with `code`, valid as they look."""

    suffix: str
    code: str

    def __str__(self) -> str:
        """As it is written: SUFFIX=CODE."""
        return f"{self.suffix}={self.code}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The messages of a call in the order given, as columns of equal length.

    `given` is `To` as it stood, `digits` the E.164 number without its plus ("" where invalid). `failed` maps a
    position to the code that speaks against it; all others are accepted. `callbacks` are where reports are to go
    (nothing: nowhere), `custom_fields` those of each message where the gateway has them, in place of `custom_field`.
    """

    shape: Shape
    given: Sequence[str]
    digits: Sequence[str]
    bodies: Sequence[str]
    senders: Sequence[str]
    custom_field: str
    failed: Mapping[int, str] = field(default_factory=dict)
    callbacks: Sequence[str] = ()
    custom_fields: Sequence[str] = ()
    promotional: bool = False

    @property
    def accepted(self) -> int:
        """How many messages the gateway takes."""
        return len(self.given) - len(self.failed)


def canonical(number: str) -> str:
    """E.164 digits without the plus, or "" for what is no plausible mobile number.

    Indian: ten digits from 6 to 9 on, after +91, 91, 0 or nothing. Others: a plus or 00 and 8 to 15 digits, or 11 to
    15 digits alone.
    """
    indian = _INDIAN.fullmatch(number)
    if indian:
        return f"91{indian[1]}"
    foreign = _FOREIGN.fullmatch(number)
    return (foreign[1] or foreign[2]) if foreign else ""


def judge_send(form: Form, rejects: Iterable[Reject] = ()) -> Verdict | Refusal:  # noqa: PLR0911 - one a refusal
    """A call to Sms/send: single where `To` is a text, static bulk where it is an array."""
    if form.too_deep or form.lists.keys() - {"To", "ShortenUrlParams"} or form.tables:
        return refusals.UNEXPECTED_ARRAY
    static = "To" in form.lists
    given = list(form.lists["To"].values()) if static else [form.texts.get("To", "")]
    if len(given) > MAX_MESSAGES:
        return refusals.TOO_MANY_STATIC
    body = form.texts.get("Body", "")
    if not body:
        return refusals.EMPTY_BODY
    if len(body) > MAX_BODY_CHARACTERS or POISON in body:
        return refusals.INVALID_BODY
    if "From" not in form.texts:
        return refusals.NO_FROM
    refusal = _judge_settings([form.texts], body)
    if refusal is not None:
        return refusal
    return _judge_numbers(
        shape=Shape.STATIC if static else Shape.SINGLE,
        given=given,
        bodies=[body] * len(given),
        senders=[form.texts["From"]] * len(given),
        texts=form.texts,
        promotional=form.texts.get("SmsType") == _PROMOTIONAL,
        rejects=rejects,
    )


def judge_bulksend(form: Form, rejects: Iterable[Reject] = ()) -> Verdict | Refusal:  # noqa: PLR0911 - the same
    """A call to Sms/bulksend: a body for each number."""
    if "Messages" in form.texts:
        return refusals.MESSAGES_NOT_ARRAY
    if form.too_deep or form.lists.keys() - {"Messages", "ShortenUrlParams"} or form.tables.keys() - {"Messages"}:
        return refusals.UNEXPECTED_ARRAY
    if "Messages" in form.lists:  # Messages[0]=text: an entry that is no object
        return refusals.INVALID_BODY
    entries = list(form.tables.get("Messages", {}).values())
    if not entries:
        return refusals.NO_MESSAGES
    if len(entries) > MAX_MESSAGES:
        return refusals.TOO_MANY_DYNAMIC
    bodies = [entry.get("Body", "") for entry in entries]
    refusal = _judge_settings([form.texts, *entries], bodies[0])
    if refusal is not None:
        return refusal
    if any(POISON in body for body in bodies):
        return refusals.INVALID_BODY
    outer = form.texts.get("From", DEFAULT_SENDER)
    return _judge_numbers(
        shape=Shape.DYNAMIC,
        given=[entry.get("To", "") for entry in entries],
        bodies=bodies,
        senders=[entry.get("From", outer) for entry in entries],
        texts=form.texts,
        promotional=_PROMOTIONAL in _sms_types((form.texts, *entries)),
        rejects=rejects,
    )


def _sms_types(places: Iterable[Mapping[str, str]]) -> set[str]:
    return {place["SmsType"] for place in places if "SmsType" in place}


def _judge_settings(places: Sequence[Mapping[str, str]], body: str) -> Refusal | None:
    """From, SmsType and EncodingType: optional wherever they may stand, but not wrong."""
    if any(place.get("From") == "" for place in places):
        return refusals.EMPTY_FROM
    if not _sms_types(places) <= _SMS_TYPES:
        return refusals.WRONG_SMS_TYPE
    if places[0].get("EncodingType", "plain") not in _ENCODINGS:
        return refusals.WRONG_ENCODING.about(body=body)
    return None


def _judge_numbers(
    *,
    shape: Shape,
    given: Sequence[str],
    bodies: Sequence[str],
    senders: Sequence[str],
    texts: Mapping[str, str],
    promotional: bool,
    rejects: Iterable[Reject],
) -> Verdict | Refusal:
    digits = [canonical(number) for number in given]
    if not any(digits):
        return refusals.INVALID_NUMBERS.about(numbers=", ".join(given))
    failed = {}
    if not (all(digits) and all(bodies) and max(map(len, bodies)) <= MAX_BODY_CHARACTERS):
        failed = {
            position: code
            for position, (number, body) in enumerate(zip(digits, bodies, strict=True))
            if (code := _failure(number, body))
        }
    for position, code in rejected(digits, rejects).items():
        failed.setdefault(position, code)
    callback = callback_url(texts.get("StatusCallback", ""))
    return Verdict(
        shape=shape,
        given=given,
        digits=digits,
        bodies=bodies,
        senders=senders,
        custom_field=texts.get("CustomField", ""),
        failed=failed,
        callbacks=[callback] * len(given) if callback else (),
        promotional=promotional,
    )


def rejected(digits: Sequence[str], rejects: Iterable[Reject]) -> dict[int, str]:
    """The positions of the numbers that a `Reject` names, with its code; the first one that fits counts."""
    failed: dict[int, str] = {}
    for reject in rejects:
        for position, number in enumerate(digits):
            if number.endswith(reject.suffix):
                failed.setdefault(position, reject.code)
    return failed


def _failure(number: str, body: str) -> str:
    """The DetailedStatusCode that speaks against a message, "" for none."""
    if not number:
        return INVALID_NUMBER
    if not body:
        return MISSING_BODY
    return INVALID_MESSAGE if len(body) > MAX_BODY_CHARACTERS else ""
