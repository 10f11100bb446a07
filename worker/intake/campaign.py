"""A campaign as its file describes it: parsed here once, trusted everywhere else.

Every key of the public contract is known here. What the engine can not do yet is refused by name, so that no campaign
starts with a wish that nobody heeds.
"""

import hashlib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import orjson
import phonenumbers
from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from config.errors import ConfigError
from worker.domain.content_template import Wording, compile_content
from worker.domain.ids import CampaignId
from worker.domain.suppression import MOST_HOURS
from worker.domain.template import Template, TemplateError, compile_template
from worker.intake.exotel_options import ExotelOptions, complaint
from worker.intake.message_options import PerMessage, SmsType, fields_in, fixed, templates
from worker.intake.suggestions import did_you_mean

MAX_BODY_CHARACTERS = 2000
"""The longest body that the gateway takes (Exotel, bulk SMS)."""

_ID = re.compile(r"[a-z0-9._-]{1,100}")
_NOT_YET = "not_yet_supported"
_INSIDE = "inside"

_AccountName = Annotated[str, Field(pattern=r"^[a-z0-9._-]{1,64}$")]
_Text = Annotated[str, Field(min_length=1)]
_Templated = Annotated[PerMessage, Field(min_length=1)]


class Campaign(BaseModel):
    """One message to many: the keys of the campaign file under their own names, but `from`, which is `sender`.

    Made in Python it takes the same values (`sender="EXOTEL"`) and raises pydantic's `ValidationError`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True)

    name: Annotated[str, Field(pattern=r"^[a-z0-9._-]{1,60}$")]
    accounts: Annotated[tuple[_AccountName, ...], Field(min_length=1)]
    body: str | None = None
    content: dict[str, Any] | None = None
    recipients: _Text | None = None
    to: _Text = "to"
    default_country: str = "IN"
    sender: Annotated[_Templated | None, Field(validation_alias="from", serialization_alias="from")] = None
    sms_type: SmsType = "transactional"
    dlt_entity_id: _Text | None = None
    dlt_template_id: _Templated | None = None
    exotel: ExotelOptions | None = None
    priority: Literal["high", "normal", "low"] = "normal"
    on_unconfirmed: Literal["hold", "resend"] = "hold"
    not_before_hours: Annotated[int, Field(ge=1, le=MOST_HOURS, strict=True)] | None = None
    dlt_template: _Text | None = None
    start_at: AwareDatetime | None = None
    expires_at: AwareDatetime | None = None
    window: _Text | None = None
    timezone: _Text | None = None
    schedule: dict[str, Any] | None = None

    @field_validator("dlt_template", "start_at", "expires_at", "window", "timezone", "schedule")
    @classmethod
    def _refuse_any(cls, value: object, info: ValidationInfo) -> object:
        if value is not None:
            raise _not_yet(f'"{info.field_name}"')
        return value

    @field_validator("sms_type", "priority")
    @classmethod
    def _refuse_all_but_the_default(cls, value: str, info: ValidationInfo) -> str:
        if value != cls.model_fields[info.field_name or ""].default and not fields_in(value):
            raise _not_yet(f'{info.field_name} = "{value}"')
        return value

    @field_validator("accounts")
    @classmethod
    def _refuse_a_pool(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len(value) > 1:
            raise _not_yet('more than one name in "accounts"')
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
            raise _wrong(f"has {fixed:,} characters, the gateway takes {MAX_BODY_CHARACTERS:,}")
        if template.is_static and not value.strip():
            raise _wrong("is empty")
        return value

    @field_validator("content")
    @classmethod
    def _check_content(cls, value: dict[str, Any] | None) -> dict[str, Any] | None:
        try:
            compile_content(value or {})
        except TemplateError as error:
            raise PydanticCustomError(_INSIDE, "{text}", {"text": str(error)}) from error
        return value

    @model_validator(mode="after")
    def _check_wording(self) -> Self:
        if self.body is None and self.content is None:
            raise _wrong('"body" is missing, or a table [content] in its place')
        if self.body is not None and self.content is not None:
            raise _wrong('"body" and "content" are both given: a campaign has one of them')
        return self

    def wording(self) -> Wording:
        """Compile what the campaign says: its body, or its content object as JSON."""
        return compile_content(self.content or {}) if self.body is None else compile_template(self.body)

    @property
    def options(self) -> dict[str, str]:
        """The gateway's options that the file gives for the whole call, by their names in it."""
        names = ("sms_type", "dlt_entity_id", "dlt_template_id")
        given = {name: getattr(self, name) for name in names if name in self.model_fields_set}
        of_the_call = {name: fixed(text) for name, text in given.items() if text is not None and not fields_in(text)}
        return of_the_call | (self.exotel.options if self.exotel else {})

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


def load_campaign(path: Path) -> Campaign:
    """Read a campaign file (TOML); a relative `recipients` is meant from the file's own directory.

    Raises `ConfigError`, one sentence with the file and the key, or the line where it is not TOML.
    """
    document = _read_toml(path)
    try:
        campaign = Campaign.model_validate(document, by_alias=True, by_name=False)
    except ValidationError as error:
        raise ConfigError(f"{path}: {_sentence(error)}") from error
    if campaign.recipients in {None, "-"}:
        return campaign
    return campaign.model_copy(update={"recipients": str(path.parent / str(campaign.recipients))})


def check_id(text: str) -> CampaignId:
    """Return a campaign's id that somebody typed; raises `ConfigError` where it can not be one."""
    if _ID.fullmatch(text) is None:
        raise ConfigError(f"the id {text!r} should have 1 to 100 of the characters a-z 0-9 - _ .")
    return CampaignId(text)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise ConfigError(f"{path}, line {line}: not UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        last = content.rstrip().count(b"\n") + 1
        complaint = str(error).replace("(at end of document)", f"(at line {last}, the last)")
        raise ConfigError(f"{path}: not TOML: {complaint}") from error


def _not_yet(what: str) -> PydanticCustomError:
    return PydanticCustomError(_NOT_YET, "{text}", {"text": f"{what} is not yet supported"})


def _wrong(text: str) -> PydanticCustomError:
    return PydanticCustomError("wrong", "{text}", {"text": text})


def _sentence(error: ValidationError) -> str:
    """Say the first thing that is wrong; what is not yet supported comes first, for it explains what is missing."""
    details = min(error.errors(), key=lambda each: each["type"] != _NOT_YET)
    if details["type"] == _NOT_YET:
        return details["msg"]
    if not details["loc"]:
        return details["msg"]
    key, *inside = (str(part) for part in details["loc"])
    if details["type"] == _INSIDE:
        return f"{key}.{details['msg']}"
    if key == "exotel" and (words := complaint("".join(inside[:1]), details)):
        return f'"{".".join([key, *inside[:1]])}" {words}'
    key = ".".join([key, *inside[:1]]) if key == "exotel" else key
    place = f'"{key}"' + "".join(f", item {int(index) + 1}" for index in inside if index.isdigit())
    return f"{place} {_complaint(key, details)}"


_KINDS = {"string_type": "text in quotes", "tuple_type": "a list", "dict_type": "a table"}


def _complaint(key: str, details: ErrorDetails) -> str:
    match details["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            known = [field.serialization_alias or name for name, field in Campaign.model_fields.items()]
            return f"is not a key of a campaign{did_you_mean(key, known)}"
        case "string_pattern_mismatch":
            most = 60 if key == "name" else 64
            return f"should have 1 to {most} of the characters a-z 0-9 - _ ."
        case "too_short" | "string_too_short":
            return "is empty"
        case "string_type" | "tuple_type" | "dict_type" as kind:
            return f"should be {_KINDS[kind]}"
        case _:
            return details["msg"].replace("Input should", "should")
