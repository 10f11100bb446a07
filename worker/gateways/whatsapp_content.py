"""The content object of a WhatsApp message: what it may hold, checked before anything is queued.

`check_content` runs once for every recipient whose content has fields; its sentences repeat no value, for a value may
be a number or somebody's name. Sources: see `whatsapp_parts`.
"""

from collections.abc import Callable
from typing import Annotated, Literal

import orjson
from pydantic import AfterValidator, Field, StringConstraints, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from worker.domain.content_template import NEUTRAL
from worker.gateways.whatsapp_interactive import Interactive
from worker.gateways.whatsapp_parts import (
    DEGREES,
    SHAPES,
    CaptionedMedia,
    DocumentMedia,
    Link,
    Media,
    Part,
    Text4096,
    wrong,
)
from worker.gateways.whatsapp_people import Contact
from worker.gateways.whatsapp_template import TemplateBody

_OTHER_IMAGES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".svg", ".tif", ".tiff", ".heic")


def _webp(link: str) -> str:
    """Refuse a link that says itself that it is no `image/webp` (ref: sticker); one that says nothing may be one."""
    if link.partition("?")[0].partition("#")[0].casefold().endswith(_OTHER_IMAGES):
        raise wrong("is not a link to an image/webp file")
    return link


def _within(most: float) -> AfterValidator:
    """Refuse what is outside -most..most degrees (ours: there is no such place)."""

    def check(text: str) -> str:
        if abs(float(text)) > most:
            raise wrong(f"should be between -{most} and {most} degrees")
        return text

    return AfterValidator(check)


_Degrees = Annotated[str, StringConstraints(pattern=DEGREES)]


class TextBody(Part):
    """Ref: Text Object."""

    body: Text4096
    preview_url: bool = False


class StickerMedia(Part):
    """Ref: Sticker Object."""

    link: Annotated[Link, AfterValidator(_webp)]


class Place(Part):
    """Ref: Location Object; its numbers are texts there."""

    longitude: Annotated[_Degrees, _within(180)]
    latitude: Annotated[_Degrees, _within(90)]
    name: str | None = None
    address: str | None = None


class _Content(Part):
    """Ref: Whatsapp Message Object, whose table spells `recepient_type`; all its samples have this name."""

    recipient_type: Literal["individual"] = "individual"


class TextContent(_Content):
    """A text."""

    type: Literal["text"]
    text: TextBody


class PreviewedContent(TextContent):
    """A text at Xtend, in whose "Sample Request" `preview_url` stands beside it; inside it does too."""

    preview_url: bool = False


class ImageContent(_Content):
    """An image."""

    type: Literal["image"]
    image: CaptionedMedia


class AudioContent(_Content):
    """An audio file."""

    type: Literal["audio"]
    audio: Media


class VideoContent(_Content):
    """A video."""

    type: Literal["video"]
    video: CaptionedMedia


class DocumentContent(_Content):
    """A document."""

    type: Literal["document"]
    document: DocumentMedia


class StickerContent(_Content):
    """A sticker."""

    type: Literal["sticker"]
    sticker: StickerMedia


class LocationContent(_Content):
    """A place on the map."""

    type: Literal["location"]
    location: Place


class ContactsContent(_Content):
    """People to add to the address book; a list, as in WhatsApp's own contract, to which the reference points."""

    type: Literal["contacts"]
    contacts: Annotated[list[Contact], Field(min_length=1)]


class InteractiveContent(_Content):
    """A list or reply buttons."""

    type: Literal["interactive"]
    interactive: Interactive


class TemplateContent(_Content):
    """A template that WhatsApp has approved."""

    type: Literal["template"]
    template: TemplateBody


_Wordless = (
    ImageContent
    | AudioContent
    | VideoContent
    | DocumentContent
    | StickerContent
    | LocationContent
    | ContactsContent
    | InteractiveContent
    | TemplateContent
)
Content = Annotated[TextContent | _Wordless, Field(discriminator="type")]
XtendContent = Annotated[PreviewedContent | _Wordless, Field(discriminator="type")]


_TAGGED = frozenset({"interactive", "header"})
"""Where a union stands in a content, beside its root and each item of `parameters`."""


_CLAUSES = {
    "missing": "is missing",
    "extra_forbidden": "is not known",
    "string_type": "should be text",
    "bool_type": "should be true or false",
    "list_type": "should be a list",
    "model_type": "should be a table",
    "model_attributes_type": "should be a table",
    "dict_type": "should be a table",
    "string_too_long": "is longer than {max_length:,} characters",
    "too_long": "has more than {max_length} items",
    "too_short": "is empty",
    "literal_error": "should be {expected}",
    "union_tag_invalid": "has a type other than {expected_tags}",
    "union_tag_not_found": "has no type",
    "json_invalid": "is not JSON",
}
"""What is wrong, by pydantic's kind of finding; the rest says it in words of ours ("wrong")."""


_OF_SHAPE = frozenset({"missing", "extra_forbidden", "union_tag_not_found", "too_long", "too_short"})
"""Kinds of finding that no text in a field's place can mend, beside those of a wrong type."""


class ContentCheck:
    """Judges the content objects of one kind of gateway."""

    def __init__(self, read: Callable[[bytes], object]) -> None:
        """Take what reads JSON as one of the contents that the gateway sends, and raises `ValidationError`."""
        self._read = read

    def __call__(self, text: str) -> str:
        """Return why this content object, as JSON, can not be sent; "" where it can.

        One sentence that begins with the place: `interactive.body.text is longer than 1,024 characters`.
        """
        return next((_sentence(finding) for finding in self._findings(text)), "")

    def wording(self, text: str) -> str:
        """Return why no message can be written from a content that has `NEUTRAL` in each field; "" where one can be."""
        return next((_sentence(finding) for finding in self._findings(text) if _is_fixed(finding)), "")

    def _findings(self, text: str) -> list[ErrorDetails]:
        try:
            self._read(text.encode("utf-8", "replace"))  # as it is sent
        except ValidationError as error:
            return error.errors(include_url=False)
        return []


check_content = ContentCheck(TypeAdapter[Content](Content).validate_json)
check_xtend_content = ContentCheck(TypeAdapter[XtendContent](XtendContent).validate_json)


def _is_fixed(finding: ErrorDetails) -> bool:
    """Whether it holds whatever stands in the fields."""
    kind, about = finding["type"], finding.get("ctx", {}).get("tag", finding["input"])
    return kind in _OF_SHAPE or kind.endswith("_type") or NEUTRAL.encode() not in orjson.dumps(about)


def _sentence(finding: ErrorDetails) -> str:
    return f"{_place(finding['loc'])} {_clause(finding)}"


def _place(loc: tuple[str | int, ...]) -> str:
    """Write where a finding is, without the tags that pydantic puts in for each union that it went through."""
    place, is_tag, before = "", True, ""
    for part in loc:
        if not is_tag:
            place += f"[{part}]" if isinstance(part, int) else f".{part}" if place else part
        is_tag = not is_tag and (part in _TAGGED or (isinstance(part, int) and before == "parameters"))
        before = str(part)
    return place or "the content"


def _clause(finding: ErrorDetails) -> str:
    limits = finding.get("ctx", {})
    if finding["type"] == "string_pattern_mismatch":
        return SHAPES[limits["pattern"]]
    clause = _CLAUSES.get(finding["type"])
    return clause.format_map(limits) if clause else finding["msg"]
