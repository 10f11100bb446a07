"""A campaign's text whose look-alikes are replaced in every body that is filled from it (`ascii = true`).

It stands where the text's own template would: production checks, and the worker sends, what comes out of it. So the
registered DLT text and the gateway's length are held against what is sent.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from worker.domain.lookalikes import replaced
from worker.domain.template import MissingValue, Render, Template


@dataclass(frozen=True, slots=True, kw_only=True)
class AsciiTemplate:
    """A template with every filled text as `worker.domain.lookalikes.replaced` gives it, values included."""

    text: Template

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the text names, each once, in order of appearance."""
        return self.text.columns

    @property
    def is_static(self) -> bool:
        """Everybody gets the same text."""
        return self.text.is_static

    def bind(self, columns: Sequence[str]) -> Render:
        """Return what fills the text from one recipient's values, as `Template.bind` says, and replaces in it."""
        render = self.text.bind(columns)
        if self.is_static:
            body = replaced(self.text.literals[0])
            return lambda _values: body

        def fill(values: Sequence[str | None]) -> str | MissingValue:
            text = render(values)
            return text if isinstance(text, MissingValue) else replaced(text)

        return fill
