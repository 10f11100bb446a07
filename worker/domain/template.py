"""The text of a campaign with its `{column}` fields, compiled once and filled for every recipient.

The producer fills it to check each body; the worker fills it again from the stored values just before it sends. Both
get the same text: filling depends on the values alone. A field is a column's name and nothing more (`{a.b}` is the
column "a.b"), so no text that a user writes can run anything.
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
    """Literal texts and the columns between them: `literals[0] column[0] literals[1] … literals[-1]`."""

    literals: tuple[str, ...]
    fields: tuple[str, ...]

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

        A value that is `None`, or whose column is not among `columns`, gives `MissingValue`; an empty text is a value.
        """
        if self.is_static:
            body = self.literals[0]
            return lambda _values: body
        absent = next((column for column in self.columns if column not in columns), None)
        if absent is not None:
            missing = MissingValue(column=absent)
            return lambda _values: missing
        return _filler(self, columns)


def compile_template(text: str) -> Template:
    """Read a text with `{column}`, `{{` and `}}`; a column's name is taken exactly as it stands, blanks too.

    Raises `TemplateError` for a brace alone and for `{}`.
    """
    literals, fields = [""], list[str]()
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
            case _, "":
                raise TemplateError(f"a field without a column at character {token.start() + 1}")
            case _, column:
                fields.append(column)
                literals.append("")
    literals[-1] += text[end:]
    return Template(literals=tuple(literals), fields=tuple(fields))


def _filler(template: Template, columns: Sequence[str]) -> Render:
    """Compile to one pick and one join a recipient: the literals are put behind the values and picked with them."""
    where = {column: index for index, column in enumerate(columns)}
    width = len(columns)
    picks: list[int] = []
    for index, column in enumerate(template.fields):
        picks += (width + index, where[column])
    picks.append(width + len(template.fields))
    pick, join = itemgetter(*picks), "".join
    literals = list(template.literals)

    def fill(values: Sequence[str | None]) -> str | MissingValue:
        try:
            return join(pick([*values, *literals]))
        except TypeError:  # join met a None
            empty = next(column for column in template.fields if values[where[column]] is None)
            return MissingValue(column=empty)

    return fill
