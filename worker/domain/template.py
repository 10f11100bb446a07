"""The text of a campaign with its `{column}` fields, compiled once and filled for every recipient.

The producer fills it to check each body; the worker fills it again from the stored values just before it sends. Both
get the same text: filling depends on the values alone. A field is a column's name and nothing more (`{a.b}` is the
column "a.b"), with a default after a bar or without one (`{name|Customer}`), so no text that a user writes can run
anything. A value that is `None`, empty or blank is missing: in a table an empty field is the only way to have none.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter

_TOKEN = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")

Render = Callable[[Sequence[str | None]], "str | MissingValue"]


class TemplateError(ValueError):
    """The text is not a template; the message names the place by its character, counted from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingValue:
    """A recipient for whom the text can not be written: it has no value in `column`."""

    column: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """Literal texts and the columns between them: `literals[0] fields[0] literals[1] … literals[-1]`."""

    literals: tuple[str, ...]
    fields: tuple[str, ...]
    defaults: tuple[str | None, ...]
    """Beside each field what stands there for a missing value; `None` where it has no default."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the text names, each once, in order of appearance."""
        return tuple(dict.fromkeys(self.fields))

    @property
    def is_static(self) -> bool:
        """Everybody gets the same text."""
        return not self.fields

    def bind(self, columns: Sequence[str]) -> Render:
        """Return what fills the text from one recipient's values, given in the order of `columns`.

        A missing value, or one whose column is not among `columns`, gives the field's default, else `MissingValue`.
        """
        if self.is_static:
            body = self.literals[0]
            return lambda _values: body
        fields = zip(self.fields, self.defaults, strict=True)
        absent = next((column for column, default in fields if default is None and column not in columns), None)
        if absent is not None:
            missing = MissingValue(column=absent)
            return lambda _values: missing
        return _filler(self, columns)


def compile_template(text: str) -> Template:
    """Read a text with `{column}`, `{column|default}`, `{{` and `}}`.

    Name and default are taken exactly as they stand, blanks too; the first bar ends the name, and a default has no
    braces. Raises `TemplateError` for a brace alone and for a field without a column.
    """
    literals, fields, defaults = [""], list[str](), list[str | None]()
    end = 0
    for token in _TOKEN.finditer(text):
        literals[-1] += text[end : token.start()]
        end = token.end()
        match token[0], token[1]:
            case ("{{" | "}}") as pair, _:
                literals[-1] += pair[0]
            case brace, None:
                raise TemplateError(
                    f"a single {brace!r} at character {token.start() + 1} (write {brace * 2!r} for the brace)"
                )
            case _, field:
                column, bar, default = field.partition("|")
                if not column:
                    raise TemplateError(f"a field without a column at character {token.start() + 1}")
                fields.append(column)
                defaults.append(default if bar else None)
                literals.append("")
    literals[-1] += text[end:]
    return Template(literals=tuple(literals), fields=tuple(fields), defaults=tuple(defaults))


def _filler(template: Template, columns: Sequence[str]) -> Render:
    """Compile to one pick and one join a recipient: the literals are put behind the values and picked with them.

    Between the two come the values that have a default, each filled beforehand; without defaults that step is left out.
    """
    where = {column: index for index, column in enumerate(columns)}
    fields = list(zip(template.fields, template.defaults, strict=True))
    required = tuple(dict.fromkeys(where[column] for column, default in fields if default is None))
    defaulted = [(where[column], default) for column, default in fields if default is not None and column in where]
    next_filled = iter(range(len(columns), len(columns) + len(defaulted)))
    fixed = list[str]()
    picks = list[int]()

    def pick_fixed(text: str) -> None:
        picks.append(len(columns) + len(defaulted) + len(fixed))
        fixed.append(text)

    for literal, (column, default) in zip(template.literals, fields, strict=False):
        pick_fixed(literal)
        if default is None:
            picks.append(where[column])
        elif column in where:
            picks.append(next(next_filled))
        else:
            pick_fixed(default)
    pick_fixed(template.literals[-1])
    pick, join = itemgetter(*picks), "".join

    def fill(values: Sequence[str | None]) -> str | MissingValue:
        for index in required:
            if not (value := values[index]) or value.isspace():
                return MissingValue(column=columns[index])
        if not defaulted:
            return join(pick([*values, *fixed]))
        filled = [_or(default, values[index]) for index, default in defaulted]
        return join(pick([*values, *filled, *fixed]))

    return fill


def _or(default: str, value: str | None) -> str:
    return value if value and not value.isspace() else default
