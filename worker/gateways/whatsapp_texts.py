"""The texts of a WhatsApp content object that nobody but its recipient should read."""

from collections.abc import Iterator

from worker.gateways.json_answer import read_json

_NOT_WRITTEN_TO_ANYBODY = frozenset({"type", "recipient_type", "sub_type", "code", "policy", "index"})


def texts_of(body: str) -> Iterator[str]:
    """Give the content object's JSON and each text in it that is no word of the gateway's own, for `Discretion`.

    A template's name is none of them: it is what an operator wants to read in a refusal.
    """
    yield body
    yield from _texts(read_json(body.encode("utf-8", "replace")))


def _texts(value: object) -> Iterator[str]:
    match value:
        case str():
            yield value
        case list():
            for item in value:
                yield from _texts(item)
        case dict():
            is_template = "language" in value
            for key, item in value.items():
                if key not in _NOT_WRITTEN_TO_ANYBODY and not (is_template and key == "name"):
                    yield from _texts(item)
        case _:
            return
