"""Matches a body against the DLT template that was registered for it, as the operators do before they deliver.

Compiled once for a campaign and asked for every body before it is queued: what differs from its template outside the
variables the operators refuse (Exotel 23185, DLT 635). Its time grows with the body's length times the template's and
no faster, however long a value may be: of all ends of a fixed text only the last one before the next fixed text counts,
since every part of a permitted value is a permitted value; and where a value's characters end is looked up once a body.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby

LONGEST_VALUE = 30
"""Characters that a variable may have unless told otherwise (the common figure; operators say 20 to 40)."""

VARIABLES = {
    "var": (".", ""),
    "numeric": ("[0-9]", ", all digits"),
    "alphanumeric": (r"(?!_)[\w \u0300-\u036f\u0900-\u0dff\u200c\u200d]", ", all letters, digits or blanks"),
    "url": (r"\S", ", none of them blank"),
    "urlott": (r"\S", ", none of them blank"),
    "cbn": ("[0-9+() -]", ", as in a phone number"),
    "email": (r"\S", ", none of them blank"),
}
"""The tags (TRAI direction of 18 November 2025, as aggregators publish it): one character of a value, and in words.

Sources differ on empty values, on blanks in names and on decimals. Here a value may be empty and a name has blanks and
marks of Indian scripts, so that nobody is passed over whom the operators might reach; `numeric` is digits alone.
Whether a URL or a number is whitelisted can not be seen from the text.
"""

_RUNS = {tag: re.compile(f"(?:{character})+", re.DOTALL) for tag, (character, _) in VARIABLES.items()}
_TAG = re.compile(r"\{#(?:([^{}#]*)#\})?")
_EXCERPT = 24


class DltTemplateError(ValueError):
    """The text is no DLT template; the message names the place by its character, counted from 1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matches:
    """The body is one that the template allows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Differs:
    """The body is none that the template allows: what is wrong with it first, as far as one can tell.

    `character` counts from 1; `expected` and `found` are all that should stand and all that stands from there, both
    empty for the end of the text. `limit` says what the variable before takes, where its value is what is wrong.
    """

    character: int
    expected: str
    found: str
    limit: str = ""

    @property
    def reason(self) -> str:
        """The difference in words, with short excerpts."""
        expected, found = _excerpt(self.expected), _excerpt(self.found)
        place = f"does not match the DLT template at character {self.character}"
        return f"{place}: expected {expected}, found {found}{self.limit and f' ({self.limit})'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Adjacent variables: each a tag and how many characters its values take together, in order."""

    variables: tuple[tuple[str, int], ...]
    limit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DltTemplate:
    """Fixed texts and the variables between them: `literals[0] gaps[0] literals[1] … literals[-1]`.

    Of the literals only the first and the last may be empty. What `quick` matches the template matches: nearly every
    body, at a fraction of the price.
    """

    literals: tuple[str, ...]
    gaps: tuple[Gap, ...]
    quick: re.Pattern[str] = field(repr=False)

    def match(self, body: str) -> Matches | Differs:
        """Tell whether the body is the template with a value for each variable; letters' case and blanks count."""
        if self.quick.match(body):
            return _MATCHES
        first = self.literals[0]
        if not body.startswith(first) or not self.gaps:
            return _difference(body, 0, first)
        values, ends = _Values(body), [len(first)]
        for gap, literal in zip(self.gaps[:-1], self.literals[1:-1], strict=True):
            starts = list(_reached(_occurrences(body, literal, ends[0]), values, ends, gap))
            if not starts:
                return _explained(values, ends[-1], gap, literal)
            ends = [start + len(literal) for start in starts]
        gap, literal = self.gaps[-1], self.literals[-1]
        start = len(body) - len(literal)
        if start >= ends[0] and body.endswith(literal) and list(_reached(iter([start]), values, ends, gap)):
            return _MATCHES
        return _explained_at_end(values, ends[-1], gap, literal)


def compile_dlt_template(text: str, *, longest_value: int = LONGEST_VALUE) -> DltTemplate:
    """Read a template with `{#var#}` and the other tags of `VARIABLES`, each for up to `longest_value` characters.

    Adjacent variables take a longer value together. Raises `DltTemplateError` for an unknown tag or one not closed.
    """
    literals, runs = [""], list[list[str]]()
    end = 0
    for token in _TAG.finditer(text):
        tag = token[1]
        if tag is None:
            raise DltTemplateError(f"a tag that is not closed at character {token.start() + 1}")
        if tag not in VARIABLES:
            known = ", ".join(f"{{#{name}#}}" for name in VARIABLES)
            raise DltTemplateError(f"an unknown tag {token[0]} at character {token.start() + 1}; there are {known}")
        literals[-1] += text[end : token.start()]
        end = token.end()
        if literals[-1] or not runs:
            runs.append([])
            literals.append("")
        runs[-1].append(tag)
    literals[-1] += text[end:]
    gaps = tuple(_gap(tags, longest_value) for tags in runs)
    return DltTemplate(literals=tuple(literals), gaps=gaps, quick=_quick(literals, runs, longest_value))


_MATCHES = Matches()


def _gap(tags: list[str], longest_value: int) -> Gap:
    variables = tuple((tag, longest_value * len(list(run))) for tag, run in groupby(tags))
    limits = (f"{{#{tag}#}} takes at most {length} characters{VARIABLES[tag][1]}" for tag, length in variables)
    return Gap(variables=variables, limit="; ".join(limits))


def _quick(literals: list[str], runs: list[list[str]], longest_value: int) -> re.Pattern[str]:
    """Match with each value as short as may be: atomic, so that no value is tried twice."""
    parts = [re.escape(literals[0])]
    ends = [*[""] * (len(runs) - 1), r"\Z"]
    for tags, literal, end in zip(runs, literals[1:], ends, strict=bool(runs)):
        # Of different variables side by side each could be tried with each: left to the matcher.
        value = f"(?:{VARIABLES[tags[0]][0]}){{0,{longest_value * len(tags)}}}?" if len({*tags}) == 1 else "(?!)"
        parts.append(f"(?>{value}{re.escape(literal)}{end})")
    return re.compile("".join(parts) + r"\Z", re.DOTALL)


class _Values:
    """How far values reach in one body."""

    def __init__(self, body: str) -> None:
        self.body = body
        self._ends: dict[str, list[int]] = {}

    def reach(self, gap: Gap, start: int) -> int:
        """Return how far the values of a gap that begins at `start` can reach.

        Each takes all it can: what the first leaves to the others is the shortest rest, which they can take if any.
        """
        for tag, length in gap.variables:
            start = min(start + length, self._run_ends(tag)[start])
        return start

    def _run_ends(self, tag: str) -> list[int]:
        """Return for each place where the characters that a value may have end."""
        if tag not in self._ends:
            ends = list(range(len(self.body) + 1))
            for run in _RUNS[tag].finditer(self.body):
                ends[run.start() : run.end()] = [run.end()] * len(run[0])
            self._ends[tag] = ends
        return self._ends[tag]


def _occurrences(body: str, literal: str, start: int) -> Iterator[int]:
    while (start := body.find(literal, start)) >= 0:
        yield start
        start += 1


def _reached(starts: Iterator[int], values: _Values, ends: list[int], gap: Gap) -> Iterator[int]:
    """Give those of the starts (ascending, none before `ends[0]`) that values after one of the ends can reach."""
    beyond = len(values.body) + 1
    later = iter([*ends[1:], beyond])
    next_end = next(later)
    reach = values.reach(gap, ends[0])
    for start in starts:
        last = -1
        while next_end <= start:
            last, next_end = next_end, next(later)
        if last >= 0:
            reach = values.reach(gap, last)
        if start <= reach:
            yield start
        elif next_end == beyond:
            return


def _explained(values: _Values, start: int, gap: Gap, literal: str) -> Differs:
    """Say why no value at `start` leads to the literal: it is too long or of the wrong kind, or the literal differs."""
    body, reach = values.body, values.reach(gap, start)
    if body.find(literal, reach) >= 0:
        return Differs(character=reach + 1, expected=literal, found=body[reach:], limit=gap.limit)
    for length in range(min(_EXCERPT, len(literal)), 0, -1):
        place = body.find(literal[:length], start, reach + length)
        if place >= 0:
            return _difference(body, place, literal)
    return Differs(character=reach + 1, expected=literal, found=body[reach:])


def _explained_at_end(values: _Values, start: int, gap: Gap, literal: str) -> Differs:
    body, reach = values.body, values.reach(gap, start)
    if body.endswith(literal) and len(body) - len(literal) >= start:
        return Differs(character=reach + 1, expected=literal, found=body[reach:], limit=gap.limit)
    place = body.find(literal, start)
    if place >= 0 and place <= reach:
        return _difference(body, place, literal)
    return _explained(values, start, gap, literal)


def _difference(body: str, start: int, literal: str) -> Differs:
    """Find where the body's text from `start` parts from the literal; one that goes on after it parts there."""
    same = 0
    for found, expected in zip(body[start:], literal, strict=False):
        if found != expected:
            break
        same += 1
    return Differs(character=start + same + 1, expected=literal[same:], found=body[start + same :])


def _excerpt(text: str) -> str:
    if not text:
        return "the end"
    short = text if len(text) <= _EXCERPT else f"{text[: _EXCERPT - 1]}…"
    return '"{}"'.format(short.replace("\n", "\\n").replace("\r", "\\r"))
