"""The table `[exotel]` of a campaign file: what Exotel's SMS calls can be told beside the keys of every campaign.

It is checked once, when the campaign is read, and from then on travels as options of the call, each by its name in
`ExotelOptions.options` (see `worker.domain.batch.Outgoing`).
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import ErrorDetails, PydanticCustomError

from worker.intake.message_options import ForAll
from worker.intake.suggestions import did_you_mean

_Text = Annotated[str, Field(min_length=1)]


class ExotelOptions(BaseModel):
    """Exotel's own settings of a campaign (Exotel SMS reference, tables of POST parameters).

    `shorten_url_params` are the parameters `ShortenUrlParams[NAME]`. `custom_field` is one text for all messages; in
    Exotel's `CustomField` it stands after our own reference. `status_callback` is where Exotel sends the delivery
    reports instead of to us: then none of them is merged.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    encoding_type: Literal["plain", "unicode"] | None = None
    priority: Literal["normal", "high"] | None = None
    shorten_url: bool | None = None
    shorten_url_params: dict[Annotated[str, Field(pattern=r"^[A-Za-z]{1,64}$")], _Text] | None = None
    custom_field: ForAll | None = None
    status_callback: Annotated[str, Field(pattern=r"^https?://[^\s{}]+$")] | None = None

    @model_validator(mode="after")
    def _check_shortening(self) -> Self:
        if self.shorten_url_params and not self.shorten_url:
            raise PydanticCustomError("wrong", "has shorten_url_params, which need shorten_url = true")
        return self

    @property
    def options(self) -> dict[str, str]:
        """The options that are given, by the names that adapters know; `priority` is another than the campaign's."""
        given = {
            "encoding_type": self.encoding_type,
            "exotel_priority": self.priority,
            "shorten_url": None if self.shorten_url is None else str(self.shorten_url).lower(),
            "custom_field": self.custom_field,
            "status_callback": self.status_callback,
        }
        params = {f"shorten_url_params.{name}": text for name, text in (self.shorten_url_params or {}).items()}
        return {name: text for name, text in given.items() if text is not None} | params


def complaint(inside: str, details: ErrorDetails) -> str | None:
    """Say what is wrong with a key of the table in words of its own, or `None` where a campaign's words will do."""
    match details["type"]:
        case "extra_forbidden":
            return f"is not a key of [exotel]{did_you_mean(inside, ExotelOptions.model_fields)}"
        case "bool_type":
            return "should be true or false"
        case "dict_type" | "model_type":
            return "should be a table"
        case "string_pattern_mismatch" if inside == "status_callback":
            return "should be http:// or https:// and a host"
        case "string_pattern_mismatch":
            return "has a name that is not 1 to 64 letters"
        case _:
            return None
