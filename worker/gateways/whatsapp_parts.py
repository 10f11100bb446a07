"""What the parts of a WhatsApp content object are made of: kinds of text, links and media.

Sources, here and in `whatsapp_people`, `whatsapp_interactive`, `whatsapp_template` and `whatsapp_content`: "ref" is
Exotel's WhatsApp reference (developer.exotel.com/api/whatsapp), its tables of the Whatsapp Message Object and of the
objects in it; "templates" is the page docs/whatsapp-support/template-messages of Exotel's newer portal, for the
reference has no template object; "ours" is a decision of this project where both are silent. Lengths are characters
(code points). Every text that is asked for holds something besides blanks.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints
from pydantic_core import PydanticCustomError

BUTTON_ID = r"^\S(?s:.*\S)?$"
LINK = r"^(?i:https?)://[^\s/?#]\S*$"
DAY = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
COUNTRY = r"^[A-Za-z]{2}$"
DEGREES = r"^[+-]?[0-9]{1,3}(\.[0-9]{1,20})?$"
INDEX = r"^[0-9]$"
FILLED = r"\S"

SHAPES = {
    BUTTON_ID: "is empty or has blanks at an end",
    LINK: "should be a link that begins with http:// or https://",
    DAY: "should be a day as YYYY-MM-DD",
    COUNTRY: "should be a country in two letters",
    DEGREES: "should be degrees as a decimal number",
    INDEX: "should be a button's place from 0 to 9",
    FILLED: "is empty",
}
"""What is wrong with a text that does not match, by the pattern."""

Text = Annotated[str, StringConstraints(pattern=FILLED)]
Text20 = Annotated[str, StringConstraints(pattern=FILLED, max_length=20)]
Text24 = Annotated[str, StringConstraints(pattern=FILLED, max_length=24)]
Text60 = Annotated[str, StringConstraints(pattern=FILLED, max_length=60)]
Text72 = Annotated[str, StringConstraints(pattern=FILLED, max_length=72)]
Text200 = Annotated[str, StringConstraints(pattern=FILLED, max_length=200)]
Text1024 = Annotated[str, StringConstraints(pattern=FILLED, max_length=1024)]
Text4096 = Annotated[str, StringConstraints(pattern=FILLED, max_length=4096)]
Link = Annotated[str, StringConstraints(pattern=LINK)]


class Part(BaseModel):
    """One table of the reference."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


def wrong(text: str) -> PydanticCustomError:
    """Say what is wrong with a value, to be read behind the place where it stands."""
    return PydanticCustomError("wrong", "{text}", {"text": text})


class Media(Part):
    """Ref: Audio Object."""

    link: Link


class CaptionedMedia(Media):
    """Ref: Image Object, Video Object."""

    caption: str | None = None


class DocumentMedia(CaptionedMedia):
    """Ref: Document Object."""

    filename: str | None = None


class ImageHeader(Part):
    """Ref: Header Object, image; also a template's parameter."""

    type: Literal["image"]
    image: CaptionedMedia


class VideoHeader(Part):
    """Ref: Header Object, video; also a template's parameter."""

    type: Literal["video"]
    video: CaptionedMedia


class DocumentHeader(Part):
    """Ref: Header Object, document; also a template's parameter."""

    type: Literal["document"]
    document: DocumentMedia
