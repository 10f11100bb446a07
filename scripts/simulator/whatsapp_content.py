"""What a WhatsApp content object may be, as data: its mandatory parts, and the limits of its texts and lists.

Source: "Exotel WhatsApp: messages", its tables of objects; Xtend's messages have the same objects. What a template
has to have is not in that document and is taken from Meta's Cloud API.
"""

from collections.abc import Iterator, Mapping, Sequence

import orjson

Json = Mapping[str, object]

_MANDATORY: Mapping[str, Sequence[str]] = {
    "text": ("body",),
    "image": ("link",),
    "audio": ("link",),
    "video": ("link",),
    "document": ("link",),
    "sticker": ("link",),
    "location": ("longitude", "latitude"),
    "contacts": (),
    "interactive": ("body", "action"),
    "template": ("name", "language"),
}
_LONGEST: Mapping[str, int] = {
    "text.body": 4096,
    "interactive.header.text": 60,
    "interactive.body.text": 1024,
    "interactive.footer.text": 60,
    "interactive.action.button": 20,
    "interactive.action.sections.title": 24,
    "interactive.action.sections.rows.id": 200,
    "interactive.action.sections.rows.title": 24,
    "interactive.action.sections.rows.description": 72,
    "interactive.action.buttons.reply.id": 256,
    "interactive.action.buttons.reply.title": 20,
}
_MOST: Mapping[str, int] = {"interactive.action.sections": 10, "interactive.action.buttons": 3}
MOST_ROWS = 10
_ROWS = "interactive.action.sections.rows"
_NAME_PARTS = frozenset({"first_name", "last_name", "middle_name", "suffix", "prefix"})


def objection(content: object) -> str:
    """What speaks against a content object, in one sentence; "" for nothing."""
    if not isinstance(content, Mapping):
        return "content is no object"
    kind = content.get("type")
    if not isinstance(kind, str) or kind not in _MANDATORY:
        return "type is none of the supported ones"
    part = content.get(kind)
    return _contacts(part) if kind == "contacts" else next(_objections(kind, part), "")


def words(content: Json) -> str:
    """The body to remember a message by: that of a text, else the content object as JSON."""
    text = content.get("text")
    body = text.get("body") if content.get("type") == "text" and isinstance(text, Mapping) else None
    return (body if isinstance(body, str) else orjson.dumps(content).decode()).replace("\0", " ")


def _objections(kind: str, part: object) -> Iterator[str]:
    if not isinstance(part, Mapping):
        yield f"{kind} is missing"
        return
    yield from (f"{kind}.{name} is missing" for name in _MANDATORY[kind] if not part.get(name))
    link = part.get("link", "http://")
    if not isinstance(link, str) or not link.startswith(("http://", "https://")):
        yield f"{kind}.link is no http or https URL"
    rows = 0
    for path, value in _walk(kind, part):
        if isinstance(value, str) and len(value) > _LONGEST.get(path, len(value)):
            yield f"{path} is longer than {_LONGEST[path]} characters"
        if isinstance(value, list):
            rows += len(value) * (path == _ROWS)
            if len(value) > _MOST.get(path, len(value)):
                yield f"{path} has more than {_MOST[path]} entries"
    if rows > MOST_ROWS:
        yield f"{_ROWS} has more than {MOST_ROWS} entries"


def _walk(path: str, value: object) -> Iterator[tuple[str, object]]:
    """Every value with the names that lead to it; those of a list's entries are the list's own."""
    yield path, value
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _walk(f"{path}.{name}", inner)
    elif isinstance(value, list):
        for inner in value:
            if isinstance(inner, Mapping):
                for name, leaf in inner.items():
                    yield from _walk(f"{path}.{name}", leaf)


def _contacts(part: object) -> str:
    if not isinstance(part, list) or not part:
        return "contacts is no list of contacts"
    for contact in part:
        name = contact.get("name") if isinstance(contact, Mapping) else None
        if not isinstance(name, Mapping) or not name.get("formatted_name"):
            return "contacts.name.formatted_name is missing"
        if not any(name.get(given) for given in _NAME_PARTS):
            return "contacts.name has none of its optional parts"
    return ""
