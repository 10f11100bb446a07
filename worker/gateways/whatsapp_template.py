"""The template part of a WhatsApp content object. Sources: see `whatsapp_parts`."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from worker.gateways.whatsapp_parts import INDEX, DocumentHeader, ImageHeader, Part, Text, VideoHeader


class TextParameter(Part):
    """Templates: a text parameter; `parameter_name` where the template's fields have names."""

    type: Literal["text"]
    text: Text
    parameter_name: Text | None = None


class PayloadParameter(Part):
    """Templates: a quick reply button's parameter."""

    type: Literal["payload"]
    payload: Text


class Coupon(Part):
    """Templates: a copy code button's parameter."""

    type: Literal["coupon_code"]
    coupon_code: Text


Parameter = Annotated[
    TextParameter | PayloadParameter | Coupon | ImageHeader | VideoHeader | DocumentHeader, Field(discriminator="type")
]


class Component(Part):
    """Templates: a component; `sub_type` and `index` (a text, as WhatsApp writes it) are those of a button."""

    type: Literal["header", "body", "button"]
    sub_type: Text | None = None
    index: Annotated[str, StringConstraints(pattern=INDEX)] | None = None
    parameters: list[Parameter] | None = None


class Language(Part):
    """Templates: language."""

    code: Text
    policy: Literal["deterministic"] | None = None


class TemplateBody(Part):
    """Templates: template."""

    name: Text
    language: Language
    components: list[Component] | None = None
