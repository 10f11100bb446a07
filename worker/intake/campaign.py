"""A campaign as its file describes it: parsed here once, trusted everywhere else.

Every key of the public contract is known here, and one that is not is an error: no campaign starts with a wish that
nobody heeds.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

import orjson
import phonenumbers
from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from config.errors import ConfigError
from worker.domain.ascii_template import AsciiTemplate
from worker.domain.content_template import Wording, compile_content
from worker.domain.cron import Cron
from worker.domain.dlt import LONGEST_VALUE, DltTemplate, DltTemplateError, compile_dlt_template
from worker.domain.forecast import HORIZON
from worker.domain.hours import PROMOTIONAL_TYPES, Hours, HoursError, indian_promotional_hours, parse_hours
from worker.domain.ids import CampaignId
from worker.domain.suppression import MOST_HOURS
from worker.domain.template import Template, TemplateError, compile_template
from worker.intake.exotel_options import ExotelOptions
from worker.intake.message_options import ForAll, PerMessage, SmsType, fields_in, fixed, templates
from worker.intake.schedule_options import ScheduleOptions
from worker.intake.skycore_options import SkycoreOptions
from worker.intake.zones import ZoneName

MAX_BODY_CHARACTERS = 2000
"""The longest body: Exotel's limit (bulk SMS), kept at every gateway."""

_ID = re.compile(r"(?!-)[a-z0-9._-]{1,100}")
_YEAR = re.compile(r"\s*[0-9]{4}-", re.ASCII)
INSIDE = "inside"
"""Type of a mistake whose message begins with its place inside a table."""

INDIA = "Asia/Kolkata"

_NO_BODY = "is of a body: a campaign with [content] has none"

_AccountName = Annotated[str, Field(pattern=r"^[a-z0-9._][a-z0-9._-]{0,63}$")]
_Text = Annotated[str, Field(min_length=1)]


def _refuse_numbers(value: object) -> object:
    """Pass on an instant, or ISO 8601 text of one: a bare number would count as seconds since 1970, long past."""
    if isinstance(value, date) or (isinstance(value, str) and _YEAR.match(value)):
        return value
    raise _wrong("should be an instant, like 2026-11-22T10:00:00+05:30")


_Instant = Annotated[AwareDatetime, BeforeValidator(_refuse_numbers)]


class Campaign(BaseModel):
    """One message to many: the keys of the campaign file under their own names, but `from`, which is `sender`.

    Made in Python it takes the same values (`sender="EXOTEL"`) and raises pydantic's `ValidationError`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9._][a-z0-9._-]{0,59}$")]
    accounts: Annotated[tuple[_AccountName, ...], Field(min_length=1)]
    body: str | None = None
    content: dict[str, Any] | None = None
    ascii: Annotated[bool, Field(strict=True)] = False
    recipients: _Text | None = None
    to: _Text = "to"
    default_country: str = "IN"
    sender: Annotated[PerMessage | None, Field(validation_alias="from", serialization_alias="from")] = None
    sms_type: SmsType = "transactional"
    dlt_entity_id: ForAll | None = None
    dlt_template_id: PerMessage | None = None
    exotel: ExotelOptions | None = None
    skycore: SkycoreOptions | None = None
    priority: Literal["high", "normal", "low"] = "normal"
    on_unconfirmed: Literal["hold", "resend"] = "hold"
    not_before_hours: Annotated[int, Field(ge=1, le=MOST_HOURS, strict=True)] | None = None
    dlt_template: _Text | None = None
    dlt_variable_length: Annotated[int, Field(ge=1, le=MAX_BODY_CHARACTERS, strict=True)] = LONGEST_VALUE
    start_at: _Instant | None = None
    expires_at: _Instant | None = None
    window: _Text | None = None
    timezone: ZoneName = INDIA
    schedule: ScheduleOptions | None = None

    @field_validator("accounts")
    @classmethod
    def _check_pool(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        twice = next((name for place, name in enumerate(value) if name in value[:place]), None)
        if twice is not None:
            raise _wrong(f"names {twice} twice")
        return value

    @field_validator("window")
    @classmethod
    def _check_window(cls, value: str | None) -> str | None:
        try:
            parse_hours(value or "", ZoneInfo(INDIA))
        except HoursError as error:
            raise _wrong(str(error)) from error
        return value

    @field_validator("dlt_template")
    @classmethod
    def _check_dlt_template(cls, value: str | None) -> str | None:
        try:
            compile_dlt_template(value or "")
        except DltTemplateError as error:
            raise _wrong(f"has {error}") from error
        return value

    @field_validator("start_at", "expires_at")
    @classmethod
    def _check_instant(cls, value: datetime | None) -> datetime | None:
        if value is not None and value - datetime.now(UTC) > HORIZON:
            raise _wrong("is more than ten years ahead")
        return value

    @field_validator("default_country")
    @classmethod
    def _check_country(cls, value: str) -> str:
        if value not in phonenumbers.SUPPORTED_REGIONS:
            raise _wrong('should be a country of ISO 3166 in two capitals, like "IN"')
        return value

    @field_validator("body")
    @classmethod
    def _check_body(cls, value: str | None) -> str | None:
        if value is None:
            return value
        try:
            template = compile_template(value)
        except TemplateError as error:
            raise _wrong(f"has {error}") from error
        fixed = sum(map(len, template.literals))
        if fixed > MAX_BODY_CHARACTERS:
            raise _wrong(too_long(fixed))
        if template.is_static and not value.strip():
            raise _wrong("is empty")
        return value

    @field_validator("content")
    @classmethod
    def _check_content(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        try:
            compile_content(value or {})
        except TemplateError as error:
            raise PydanticCustomError(INSIDE, "{text}", {"text": str(error)}) from error
        return value

    @model_validator(mode="after")
    def _check_wording(self) -> Self:
        if self.body is None and self.content is None:
            raise _wrong('"body" is missing, or a table [content] in its place')
        if self.body is not None and self.content is not None:
            raise _wrong('"body" and "content" are both given: a campaign has one of them')
        if self.ascii and self.body is None:
            raise _wrong(f'"ascii" {_NO_BODY}')
        if self.dlt_template is not None and self.body is None:
            raise _wrong(f'"dlt_template" {_NO_BODY}')
        if self.start_at is not None and self.expires_at is not None and self.expires_at <= self.start_at:
            raise _wrong('"expires_at" should be later than "start_at"')
        if self.schedule is not None and not (self.start_at is None and self.expires_at is None):
            key = "start_at" if self.expires_at is None else "expires_at"
            raise _wrong(f'"{key}" is one instant: a campaign with [schedule] has no such key')
        return self

    @property
    def is_promotional(self) -> bool:
        """Whether it, or a row of it, is of a type that Indian numbers get within the legal hours only."""
        return self.sms_type in PROMOTIONAL_TYPES or bool(fields_in(self.sms_type))

    @property
    def hours(self) -> Hours | None:
        """The hours in which it may send: its window, else the legal ones where they bind it; `None`: at any time.

        They bind a promotional campaign to India. One to another country passes over Indian numbers (see batches.py).
        """
        if self.window is not None:
            return parse_hours(self.window, ZoneInfo(self.timezone))
        return indian_promotional_hours().hours if self.is_bound_to_indian_hours else None

    @property
    def due_times(self) -> Cron | None:
        """When it recurs; `None`: it is sent once."""
        return None if self.schedule is None else self.schedule.due_times(self.timezone)

    @property
    def is_bound_to_indian_hours(self) -> bool:
        """Whether the legal hours for promotional messages to Indian numbers hold."""
        return self.is_promotional and self.default_country == "IN"

    def dlt(self) -> DltTemplate | None:
        """Compile the text registered with the operators, against which each body is held; `None`: none is given."""
        if self.dlt_template is None:
            return None
        return compile_dlt_template(self.dlt_template, longest_value=self.dlt_variable_length)

    def wording(self) -> Wording:
        """Compile what the campaign says: its body, its look-alikes replaced where it asks, or its content as JSON."""
        if self.body is None:
            return compile_content(self.content or {})
        text = compile_template(self.body)
        return AsciiTemplate(text=text) if self.ascii else text

    @property
    def has_segments(self) -> bool:
        """Whether its messages are billed by segments: bodies are, content objects are not."""
        return self.body is not None

    def in_ascii(self) -> Self:
        """Return it with `ascii = true`; raises `ConfigError` where it has no body."""
        if self.body is None:
            raise ConfigError(f"campaign {self.name}: --ascii {_NO_BODY}")
        return self.model_copy(update={"ascii": True})

    @property
    def options(self) -> dict[str, str]:
        """The gateway's options that the file gives for the whole call, by their names in it."""
        given = {name: getattr(self, name) for name in ("sms_type", "dlt_template_id") if name in self.model_fields_set}
        of_the_call: dict[str, str] = {
            name: fixed(text) for name, text in given.items() if text is not None and not fields_in(text)
        }
        if self.dlt_entity_id is not None:
            of_the_call["dlt_entity_id"] = self.dlt_entity_id
        own = (self.exotel.options if self.exotel else {}) | (self.skycore.options if self.skycore else {})
        return of_the_call | own

    @property
    def call_sender(self) -> str:
        """The `from` of the whole call: "" where the file gives none, or one for each message."""
        return "" if self.sender is None or fields_in(self.sender) else fixed(self.sender)

    def message_options(self) -> Mapping[str, Template]:
        """Return the gateway's options that have fields, by the names that `Message.options` has them under."""
        texts = {"from": self.sender, "sms_type": self.sms_type, "dlt_template_id": self.dlt_template_id}
        return templates(texts)

    def to_json(self) -> str:
        """Write the campaign in one canonical form, to be read by `from_json`."""
        return self._canonical(exclude=set())

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read what `to_json` wrote."""
        return cls.model_validate_json(text, by_alias=True, by_name=False)

    @property
    def digest(self) -> str:
        """What tells this campaign from another under the same id, as 32 hex digits.

        Where the recipients are read from does not count: the digest of the rows themselves guards them.
        """
        return hashlib.blake2b(self._canonical(exclude={"recipients"}).encode(), digest_size=16).hexdigest()

    def _canonical(self, *, exclude: set[str]) -> str:
        # What was not given stays so: a gateway option that the file leaves out is not sent.
        document = self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_unset=True, exclude=exclude)
        return orjson.dumps(document, option=orjson.OPT_SORT_KEYS).decode()


def check_id(text: str) -> CampaignId:
    """Return a campaign's id that somebody typed; raises `ConfigError` where it can not be one."""
    if _ID.fullmatch(text) is None:
        raise ConfigError(f"the id {text!r} should have 1 to 100 of the characters a-z 0-9 - _ . and not begin with -")
    return CampaignId(text)


def too_long(characters: int) -> str:
    """Say that a body has more characters than may be sent."""
    return f"has {characters:,} characters, at most {MAX_BODY_CHARACTERS:,} are sent at any gateway"


def _wrong(text: str) -> PydanticCustomError:
    return PydanticCustomError("wrong", "{text}", {"text": text})
