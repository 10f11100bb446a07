"""A campaign's content object with its `{column}` fields, compiled once to JSON and filled for every recipient.

It is filled as a body is (`worker.domain.template`): what is compiled is the object's JSON text, and each value is
escaped on its way into it. So no value can end the string it stands in, and the filled text is always valid JSON.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from worker.domain.ascii_template import AsciiTemplate
from worker.domain.template import MissingValue, Render, Template, TemplateError, compile_template

_quoted = json.JSONEncoder(ensure_ascii=False).encode
_MOST_DEEP = 20

NEUTRAL = "\ue000"
"""Stands for any value where a content is checked before there are values: a character of private use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentTemplate:
    """A content object as JSON text with fields; what `Template` is for a body."""

    text: Template

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the object names, each once, in order of appearance in its JSON."""
        return self.text.columns

    @property
    def is_static(self) -> bool:
        """Everybody gets the same object."""
        return self.text.is_static

    def bind(self, columns: Sequence[str]) -> Render:
        """Return what writes the object's JSON from one recipient's values; the rest as `Template.bind` says."""
        render = self.text.bind(columns)
        used = frozenset(self.columns)
        places = [place for place, column in enumerate(columns) if column in used]
        if not places:
            return render

        def fill(values: Sequence[str | None]) -> str | MissingValue:
            escaped = list(values)
            for place in places:
                value = escaped[place]
                if value and not value.isspace():  # a blank one is missing, and would not look so once it is escaped
                    escaped[place] = _quoted(value)[1:-1]
            return render(escaped)

        return fill


Wording = Template | AsciiTemplate | ContentTemplate
"""What a campaign says, compiled: a body's text, with its look-alikes or without, or a content object's JSON."""


def compile_content(content: Mapping[str, object]) -> ContentTemplate:
    """Compile the fields in every string of a content object, keys excepted; its keys are written in sorted order.

    Raises `TemplateError`, whose sentence begins with the place inside the content, for what is no template and for
    what is neither text, true, false, list nor table.
    """
    draft = _Draft()
    _write(content, "", 0, draft)
    texts, fields, defaults = tuple(draft.literals), tuple(draft.fields), tuple(draft.defaults)
    return ContentTemplate(text=Template(literals=texts, fields=fields, defaults=defaults))


@dataclass(slots=True)
class _Draft:
    """The JSON so far, as a template is made of it; it ends with `literals[-1]`."""

    literals: list[str] = field(default_factory=lambda: [""])
    fields: list[str] = field(default_factory=list)
    defaults: list[str | None] = field(default_factory=list)


def _write(value: object, place: str, depth: int, draft: _Draft) -> None:
    """Add the JSON of `value` to the text so far."""
    literals = draft.literals
    if depth > _MOST_DEEP:
        raise TemplateError(f"{place} is nested more than {_MOST_DEEP} deep")
    match value:
        case str():
            _write_string(value, place, draft)
        case bool():
            literals[-1] += _quoted(value)
        case Mapping():
            literals[-1] += "{"
            for index, key in enumerate(sorted(value)):
                literals[-1] += f"{',' if index else ''}{_quoted(key)}:"
                _write(value[key], f"{place}.{key}" if place else key, depth + 1, draft)
            literals[-1] += "}"
        case list() | tuple():
            literals[-1] += "["
            for index, item in enumerate(value):
                literals[-1] += "," if index else ""
                _write(item, f"{place}[{index}]", depth + 1, draft)
            literals[-1] += "]"
        case _:
            raise TemplateError(f"{place} should be text in quotes, true, false, a list or a table")


def _write_string(text: str, place: str, draft: _Draft) -> None:
    try:
        template = compile_template(text)
    except TemplateError as error:
        raise TemplateError(f"{place} has {error}") from error
    first, *rest = (_quoted(literal)[1:-1] for literal in template.literals)
    draft.literals[-1] += f'"{first}'
    draft.literals += rest
    draft.fields += template.fields
    draft.defaults += (None if default is None else _quoted(default)[1:-1] for default in template.defaults)
    draft.literals[-1] += '"'
