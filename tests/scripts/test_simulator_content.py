"""Which WhatsApp content the simulator takes, by the limits of the document."""

import pytest

from scripts.simulator.whatsapp_content import objection, words


def _list(**change):
    rows = [{"id": "1", "title": "One"}]
    action = {"button": "Choose", "sections": [{"title": "All", "rows": rows}]} | change
    return {"type": "interactive", "interactive": {"type": "list", "body": {"text": "Which?"}, "action": action}}


def _buttons(*titles):
    buttons = [{"type": "reply", "reply": {"id": title, "title": title}} for title in titles]
    return _list() | {"interactive": {"type": "button", "body": {"text": "Which?"}, "action": {"buttons": buttons}}}


@pytest.mark.parametrize(
    "content",
    [
        {"type": "text", "text": {"body": "x" * 4096}},
        {"type": "image", "image": {"link": "https://sim.example/a.png", "caption": "A"}},
        {"type": "location", "location": {"longitude": "1", "latitude": "2"}},
        {"type": "contacts", "contacts": [{"name": {"formatted_name": "Asha R", "first_name": "Asha"}}]},
        {"type": "template", "template": {"name": "offer", "language": {"code": "en"}}},
        _list(),
        _buttons("a", "b", "c"),
    ],
)
def test_content_within_the_documents_limits_is_taken(content):
    assert objection(content) == ""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "no object"),
        ({"type": "song"}, "type"),
        ({"type": "text"}, "text is missing"),
        ({"type": "text", "text": {"body": "x" * 4097}}, "text.body is longer than 4096"),
        ({"type": "image", "image": {"link": "ftp://sim.example/a.png"}}, "image.link is no http"),
        ({"type": "sticker", "sticker": {}}, "sticker.link is missing"),
        ({"type": "location", "location": {"longitude": "1"}}, "latitude is missing"),
        ({"type": "contacts", "contacts": []}, "no list"),
        ({"type": "contacts", "contacts": [{"name": {}}]}, "formatted_name is missing"),
        ({"type": "contacts", "contacts": [{"name": {"formatted_name": "Asha"}}]}, "none of its optional parts"),
        (_list(button="x" * 21), "button is longer than 20"),
        (_list(sections=[{"rows": []}] * 11), "sections has more than 10"),
        (_list(sections=[{"rows": [{"id": "1", "title": "One"}] * 6}] * 2), "rows has more than 10"),
        (_list(sections=[{"rows": [{"id": "1", "title": "x" * 25}]}]), "rows.title is longer than 24"),
        (_buttons("a", "b", "c", "d"), "buttons has more than 3"),
        (_buttons("x" * 21), "reply.title is longer than 20"),
    ],
)
def test_content_beyond_the_documents_limits_is_named(content, said):
    assert said in objection(content)


def test_a_message_is_remembered_by_its_text_or_else_its_whole_content():
    assert words({"type": "text", "text": {"body": "Hello\0"}}) == "Hello "
    assert words({"type": "image", "text": {"body": "Hello"}}) == '{"type":"image","text":{"body":"Hello"}}'
