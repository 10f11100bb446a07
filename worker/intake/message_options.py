"""Settings of the gateway that a campaign gives each message: `from`, `sms_type` and `dlt_template_id` with fields.

A text with `{column}` fields is filled for every recipient, as the body is; one without is the same for the whole call.
Production checks every row, so that whoever sends can fill them again from the stored values.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from worker.domain.template import MissingValue, Template, TemplateError, compile_template

SMS_TYPES: Final = ("transactional", "transactional_opt_in", "promotional")
"""The values of `sms_type` (Exotel SMS reference, `SmsType`)."""

Complain = Callable[[Sequence[str | None]], str]
"""Says why no message can be written from one row's values, "" where one can."""


def fields_in(text: str) -> tuple[str, ...]:
    """Return the columns that a text names; one that is no template names none."""
    try:
        return compile_template(text).columns if "{" in text else ()
    except TemplateError:
        return ()


def fixed(text: str) -> str:
    """Return what a text without fields says: `{{` and `}}` are braces."""
    return compile_template(text).literals[0] if "{" in text or "}" in text else text


def complain_for(
    options: Mapping[str, Template], columns: Sequence[str], check_sender: Callable[[str], str]
) -> Complain:
    """Return what checks the options of one row, whose values are in the order of `columns`.

    `check_sender` tells why a `from` can not be sent, "" where it can.
    """
    if not options:
        return lambda _values: ""
    renders = [(name, template.bind(columns)) for name, template in options.items()]

    def complain(values: Sequence[str | None]) -> str:
        return next(
            (words for name, render in renders if (words := _complaint(name, render(values), check_sender))), ""
        )

    return complain


def columns_of(options: Mapping[str, Template]) -> Iterator[str]:
    """Give the columns that the options name."""
    for template in options.values():
        yield from template.columns


def templates(texts: Mapping[str, str | None]) -> Mapping[str, Template]:
    """Compile those of the texts that have fields."""
    return MappingProxyType({name: compile_template(text) for name, text in texts.items() if text and fields_in(text)})


def _complaint(name: str, text: str | MissingValue, check_sender: Callable[[str], str]) -> str:
    if isinstance(text, MissingValue):
        return f"no value in column {text.column!r}"
    if not text.strip():
        return f"{name} is empty"
    if name == "sms_type" and text not in SMS_TYPES:
        return f"sms_type {text!r} is none of {', '.join(SMS_TYPES)}"
    if name == "from" and (why := check_sender(text)):
        return f"from {why}"
    return ""


def _check_template(text: str) -> str:
    try:
        compile_template(text)
    except TemplateError as error:
        raise _wrong(f"has {error}") from error
    return _check_given(text)


def _check_given(text: str) -> str:
    if not text.strip():
        raise _wrong("is empty")
    return text


def _check_for_all(text: str) -> str:
    if "{" in text or "}" in text:
        raise _wrong("can hold no braces and so no {column}: it is one for the whole campaign")
    return _check_given(text)


def _check_sms_type(text: str) -> str:
    if text not in SMS_TYPES and not fields_in(_check_template(text)):
        *others, last = map(repr, SMS_TYPES)
        raise _wrong(f"should be {', '.join(others)} or {last}")
    return text


def _wrong(text: str) -> PydanticCustomError:
    return PydanticCustomError("wrong", "{text}", {"text": text})


PerMessage = Annotated[str, AfterValidator(_check_template)]
"""A text that may have `{column}` fields."""

ForAll = Annotated[str, AfterValidator(_check_for_all)]
"""A text that is the same for the whole campaign, and goes as it stands."""

SmsType = Annotated[str, AfterValidator(_check_sms_type)]
"""One of `SMS_TYPES`, or a text with fields that gives one of them for every row."""
