"""The interactive part of a WhatsApp content object: lists and reply buttons. Sources: see `whatsapp_parts`."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from worker.gateways.whatsapp_parts import (
    BUTTON_ID,
    DocumentHeader,
    ImageHeader,
    Part,
    Text20,
    Text24,
    Text60,
    Text72,
    Text200,
    Text1024,
    VideoHeader,
    wrong,
)

MOST_ROWS = 10
"""Rows in all sections of a list together (ref: Section Object, rows)."""

_ButtonId = Annotated[str, StringConstraints(pattern=BUTTON_ID, max_length=256)]


class TextHeader(Part):
    """Ref: Header Object, text."""

    type: Literal["text"]
    text: Text60


Header = Annotated[TextHeader | ImageHeader | VideoHeader | DocumentHeader, Field(discriminator="type")]


class LongText(Part):
    """Ref: Body Object."""

    text: Text1024


class ShortText(Part):
    """Ref: Footer Object."""

    text: Text60


class Row(Part):
    """Ref: Row Object; its lengths stand in the Section Object."""

    id: Text200
    title: Text24
    description: Text72 | None = None


class Section(Part):
    """Ref: Section Object."""

    title: Text24 | None = None
    rows: Annotated[list[Row], Field(min_length=1)]


def _few_and_titled(sections: list[Section]) -> list[Section]:
    """Ref: Section Object: ten rows in all, and titles where there is more than one section."""
    if sum(len(section.rows) for section in sections) > MOST_ROWS:
        raise wrong(f"have more than {MOST_ROWS} rows together")
    if len(sections) > 1 and not all(section.title for section in sections):
        raise wrong("need a title each, because there is more than one")
    return sections


class ListAction(Part):
    """Ref: Action Object, list messages."""

    button: Text20
    sections: Annotated[list[Section], Field(min_length=1, max_length=10), AfterValidator(_few_and_titled)]


class Reply(Part):
    """Ref: Reply Object."""

    id: _ButtonId
    title: Text20


class Button(Part):
    """Ref: Button Object."""

    type: Literal["reply"]
    reply: Reply


def _all_different(buttons: list[Button]) -> list[Button]:
    """Ref: Reply Object: title and id are unique within the message."""
    for part in ("title", "id"):
        if len({getattr(button.reply, part) for button in buttons}) < len(buttons):
            raise wrong(f"have the same {part} twice")
    return buttons


class ButtonAction(Part):
    """Ref: Action Object, reply buttons."""

    buttons: Annotated[list[Button], Field(min_length=1, max_length=3), AfterValidator(_all_different)]


class ListMessage(Part):
    """Ref: Interactive Object, list messages."""

    type: Literal["list"]
    header: Header | None = None
    body: LongText
    footer: ShortText | None = None
    action: ListAction


class ButtonMessage(Part):
    """Ref: Interactive Object, reply buttons."""

    type: Literal["button"]
    header: Header | None = None
    body: LongText
    footer: ShortText | None = None
    action: ButtonAction


Interactive = Annotated[ListMessage | ButtonMessage, Field(discriminator="type")]
