"""What Exotel's answers to a send are written in, JSON or XML: their entries. Nothing here raises."""

from worker.domain.answers import Answer
from worker.gateways.exotel_entries import Entry, entries_of
from worker.gateways.exotel_xml import entries_in


def entries_from(answer: Answer, document: object) -> list[Entry] | None:
    """List the entries of an answer whose JSON this is (`None`: it is none); `None` where it is no list of them."""
    return entries_of(entries_in(answer.body) if document is None else document)
