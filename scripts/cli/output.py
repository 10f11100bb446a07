"""What a command leaves behind: one JSON document, or lines for people."""

import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from scripts.cli.words import summary

if TYPE_CHECKING:
    from worker.ledger.reading import Standing


def emit(document: Any, lines: Iterable[str], *, as_json: bool) -> None:  # noqa: ANN401 - any JSON
    """Print the document, or the lines, on standard output."""
    if as_json:
        print(json.dumps(document, indent=2, ensure_ascii=False))
        return
    for line in lines:
        print(line)


def emit_standing(standing: "Standing", *, as_json: bool) -> None:
    """Print where a campaign stands."""
    emit(standing.as_json(), summary(standing), as_json=as_json)
