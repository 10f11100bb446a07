"""The WhatsApp content object: every limit of the reference, at it and one past it, and the sentence with its place."""

import json
from copy import deepcopy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.content_template import NEUTRAL
from worker.gateways.whatsapp_content import check_content

LINK = "https://example.com/a/b?c=d"
NAME = {"formatted_name": "Asha Rao", "first_name": "Asha"}
REPLY = {"type": "reply", "reply": {"id": "yes", "title": "Yes"}}
OTHER_REPLY = {"type": "reply", "reply": {"id": "no", "title": "No"}}
ROW = {"id": "r1", "title": "One", "description": "The first"}

WHOLE = {
    "text": {"type": "text", "recipient_type": "individual", "text": {"body": "Hi", "preview_url": False}},
    "image": {"type": "image", "image": {"link": LINK, "caption": "A picture"}},
    "audio": {"type": "audio", "audio": {"link": "HTTP://example.com/a.mp3"}},
    "video": {"type": "video", "video": {"link": LINK, "caption": ""}},
    "document": {"type": "document", "document": {"link": LINK, "caption": "Bill", "filename": "bill.pdf"}},
    "sticker": {"type": "sticker", "sticker": {"link": "https://example.com/a.webp"}},
    "location": {
        "type": "location",
        "location": {"longitude": "77.5946", "latitude": "-12.97", "name": "Shop", "address": "1 Road"},
    },
    "contacts": {
        "type": "contacts",
        "contacts": [
            {
                "name": NAME | {"last_name": "R", "middle_name": "M", "suffix": "S", "prefix": "P"},
                "addresses": [
                    {"city": "B", "country": "India", "country_code": "in", "state": "KA", "street": "1", "zip": "5"}
                ],
                "birthday": "1990-02-28",
                "emails": [{"email": "a@example.com", "type": "WORK"}],
                "org": {"company": "C", "department": "D", "title": "T"},
                "phones": [{"phone": "+919000000001", "type": "CELL", "wa_id": "919000000001"}],
                "urls": [{"url": LINK, "type": "HOME"}],
            }
        ],
    },
    "buttons": {
        "type": "interactive",
        "interactive": {
            "type": "button",
            "header": {"type": "text", "text": "Head"},
            "body": {"text": "Choose"},
            "footer": {"text": "Foot"},
            "action": {"buttons": [REPLY, OTHER_REPLY]},
        },
    },
    "list": {
        "type": "interactive",
        "interactive": {
            "type": "list",
            "header": {"type": "image", "image": {"link": LINK}},
            "body": {"text": "Choose"},
            "action": {"button": "Menu", "sections": [{"rows": [ROW]}]},
        },
    },
    "template": {
        "type": "template",
        "template": {
            "name": "offer",
            "language": {"code": "en", "policy": "deterministic"},
            "components": [
                {"type": "header", "parameters": [{"type": "document", "document": {"link": LINK}}]},
                {"type": "body", "parameters": [{"type": "text", "text": "Asha"}]},
                {
                    "type": "button",
                    "sub_type": "quick_reply",
                    "index": "0",
                    "parameters": [{"type": "payload", "payload": "p"}],
                },
            ],
        },
    },
}


def changed(kind, path, value):
    """The whole content of a kind with one value put in at the path; without a value there, it is taken out."""
    content = deepcopy(WHOLE[kind])
    *way, last = path
    place = content
    for part in way:
        place = place[part]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return content


def check(content):
    return check_content(json.dumps(content))


@pytest.mark.parametrize("kind", WHOLE)
def test_every_kind_of_the_reference_may_be_sent(kind):
    assert check(WHOLE[kind]) == ""


ACTION = ("interactive", "action")
BUTTON = (*ACTION, "buttons", 1, "reply")
SECTION = (*ACTION, "sections", 0)
LENGTHS = [
    ("text", ("text", "body"), 4096),
    ("buttons", ("interactive", "header", "text"), 60),
    ("buttons", ("interactive", "body", "text"), 1024),
    ("list", ("interactive", "body", "text"), 1024),
    ("buttons", ("interactive", "footer", "text"), 60),
    ("list", (*ACTION, "button"), 20),
    ("list", (*SECTION, "title"), 24),
    ("list", (*SECTION, "rows", 0, "title"), 24),
    ("list", (*SECTION, "rows", 0, "id"), 200),
    ("list", (*SECTION, "rows", 0, "description"), 72),
    ("buttons", (*BUTTON, "title"), 20),
    ("buttons", (*BUTTON, "id"), 256),
]


def spelled(path):
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)[1:]


@pytest.mark.parametrize(("kind", "path", "most"), LENGTHS)
def test_a_text_may_be_as_long_as_its_limit_and_no_longer(kind, path, most):
    assert check(changed(kind, path, "é" * most)) == ""
    assert check(changed(kind, path, "😀" * most)) == ""
    assert check(changed(kind, path, "é" * (most + 1))) == f"{spelled(path)} is longer than {most:,} characters"


@pytest.mark.parametrize(("kind", "path", "most"), LENGTHS)
def test_a_text_that_is_asked_for_is_not_blank(kind, path, most):
    for blank in ("", "  \n"):
        assert check(changed(kind, path, blank)).startswith(f"{spelled(path)} is empty")


MANY_BUTTONS = [{"type": "reply", "reply": {"id": f"i{n}", "title": f"t{n}"}} for n in range(4)]
SAME_TITLE = [REPLY, {"type": "reply", "reply": {"id": "else", "title": "Yes"}}]
SAME_ID = [REPLY, {"type": "reply", "reply": {"id": "yes", "title": "Else"}}]
ROWS = [{"id": f"r{n}", "title": f"Row {n}"} for n in range(11)]
BUTTONS, SECTIONS = (*ACTION, "buttons"), (*ACTION, "sections")
SENTENCES = [
    ("buttons", BUTTONS, [], "interactive.action.buttons is empty"),
    ("buttons", BUTTONS, MANY_BUTTONS, "interactive.action.buttons has more than 3 items"),
    ("buttons", BUTTONS, SAME_TITLE, "interactive.action.buttons have the same title twice"),
    ("buttons", BUTTONS, SAME_ID, "interactive.action.buttons have the same id twice"),
    ("buttons", (*BUTTON, "id"), " yes", "interactive.action.buttons[1].reply.id is empty or has blanks at an end"),
    ("buttons", (*BUTTON, "id"), "y\n", "interactive.action.buttons[1].reply.id is empty or has blanks at an end"),
    ("buttons", (*BUTTONS, 0, "type"), "url", "interactive.action.buttons[0].type should be 'reply'"),
    ("buttons", ("interactive", "body"), ..., "interactive.body is missing"),
    ("buttons", ("interactive", "action"), ..., "interactive.action is missing"),
    ("buttons", ("interactive", "type"), "product", "interactive has a type other than 'list', 'button'"),
    ("buttons", ("interactive", "type"), ..., "interactive has no type"),
    ("buttons", ("interactive", "type"), "list", "interactive.action.button is missing"),
    ("buttons", ("interactive", "header", "text"), ..., "interactive.header.text is missing"),
    (
        "list",
        ("interactive", "header", "image", "link"),
        "x",
        "interactive.header.image.link should be a link that begins with http:// or https://",
    ),
    (
        "list",
        ("interactive", "header", "type"),
        "audio",
        "interactive.header has a type other than 'text', 'image', 'video', 'document'",
    ),
    ("list", SECTIONS, [], "interactive.action.sections is empty"),
    (
        "list",
        SECTIONS,
        [{"title": "T", "rows": [row]} for row in ROWS],
        "interactive.action.sections has more than 10 items",
    ),
    ("list", SECTIONS, [{"rows": ROWS}], "interactive.action.sections have more than 10 rows together"),
    (
        "list",
        SECTIONS,
        [{"title": "A", "rows": ROWS[:6]}, {"title": "B", "rows": ROWS[6:]}],
        "interactive.action.sections have more than 10 rows together",
    ),
    (
        "list",
        SECTIONS,
        [{"title": "A", "rows": [ROW]}, {"rows": [ROW]}],
        "interactive.action.sections need a title each, because there is more than one",
    ),
    ("list", (*SECTION, "rows"), [], "interactive.action.sections[0].rows is empty"),
    ("list", (*SECTION, "rows", 0, "id"), ..., "interactive.action.sections[0].rows[0].id is missing"),
    ("text", ("text",), ..., "text is missing"),
    ("text", ("text", "preview_url"), "Yes", "text.preview_url should be true or false"),
    ("text", ("text", "body"), 7, "text.body should be text"),
    ("text", ("recipient_type",), "group", "recipient_type should be 'individual'"),
    ("text", ("image",), {"link": LINK}, "image is not known"),
    ("text", ("text", "bdy"), "x", "text.bdy is not known"),
    (
        "image",
        ("image", "link"),
        "ftp://example.com/a",
        "image.link should be a link that begins with http:// or https://",
    ),
    ("audio", ("audio", "link"), "https:///a", "audio.link should be a link that begins with http:// or https://"),
    ("video", ("video", "link"), "https://a b", "video.link should be a link that begins with http:// or https://"),
    ("audio", ("audio", "caption"), "x", "audio.caption is not known"),
    ("document", ("document", "link"), "", "document.link should be a link that begins with http:// or https://"),
    (
        "sticker",
        ("sticker", "link"),
        "https://example.com/a.PNG?x=.webp",
        "sticker.link is not a link to an image/webp file",
    ),
    ("location", ("location", "latitude"), "north", "location.latitude should be degrees as a decimal number"),
    ("location", ("location", "latitude"), "90.1", "location.latitude should be between -90 and 90 degrees"),
    ("location", ("location", "longitude"), "-181", "location.longitude should be between -180 and 180 degrees"),
    ("location", ("location", "longitude"), 77.5, "location.longitude should be text"),
    ("contacts", ("contacts",), [], "contacts is empty"),
    ("contacts", ("contacts",), {"name": NAME}, "contacts should be a list"),
    (
        "contacts",
        ("contacts", 0, "name"),
        {"formatted_name": "A"},
        "contacts[0].name needs one of first_name, last_name, middle_name, suffix and prefix beside formatted_name",
    ),
    ("contacts", ("contacts", 0, "name"), {"first_name": "A"}, "contacts[0].name.formatted_name is missing"),
    ("contacts", ("contacts", 0, "birthday"), "28/02/1990", "contacts[0].birthday should be a day as YYYY-MM-DD"),
    (
        "contacts",
        ("contacts", 0, "addresses", 0, "country_code"),
        "IND",
        "contacts[0].addresses[0].country_code should be a country in two letters",
    ),
    ("template", ("template", "name"), "", "template.name is empty"),
    ("template", ("template", "language"), "en", "template.language should be a table"),
    (
        "template",
        ("template", "components", 2, "index"),
        "10",
        "template.components[2].index should be a button's place from 0 to 9",
    ),
    (
        "template",
        ("template", "components", 1, "parameters", 0, "text"),
        " ",
        "template.components[1].parameters[0].text is empty",
    ),
    (
        "template",
        ("template", "components", 0, "parameters", 0, "document"),
        ...,
        "template.components[0].parameters[0].document is missing",
    ),
    (
        "template",
        ("template", "components", 1, "parameters", 0, "type"),
        ...,
        "template.components[1].parameters[0] has no type",
    ),
]


@pytest.mark.parametrize(("kind", "path", "value", "sentence"), SENTENCES)
def test_what_can_not_be_sent_is_told_in_one_sentence_with_its_place(kind, path, value, sentence):
    assert check(changed(kind, path, value)) == sentence


def test_ten_sections_and_ten_rows_and_three_buttons_are_taken():
    assert check(changed("list", SECTIONS, [{"title": "T", "rows": [row]} for row in ROWS[:10]])) == ""
    assert check(changed("buttons", BUTTONS, MANY_BUTTONS[:3])) == ""


@pytest.mark.parametrize("part", ["first_name", "last_name", "middle_name", "suffix", "prefix"])
def test_any_one_part_of_a_name_is_enough(part):
    assert check(changed("contacts", ("contacts", 0, "name"), {"formatted_name": "A", part: "A"})) == ""


@pytest.mark.parametrize("link", ["https://example.com/a.webp?x=1", "https://example.com/sticker/17"])
def test_a_sticker_whose_link_does_not_say_otherwise_is_taken(link):
    assert check(changed("sticker", ("sticker", "link"), link)) == ""


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "the content is not JSON"),
        ("{", "the content is not JSON"),
        ("[]", "the content should be a table"),
        ("{}", "the content has no type"),
        ('{"type": "text", "text": {"body": "\\ud83d"}}', "the content is not JSON"),
    ],
)
def test_what_is_no_content_object_is_told(text, sentence):
    assert check_content(text) == sentence


def test_a_type_that_is_not_known_is_told_with_those_that_are():
    sentence = check({"type": "Text", "text": {"body": "x"}})
    assert sentence.startswith("the content has a type other than 'text', 'image', 'audio',")
    assert sentence.endswith("'interactive', 'template'")


FIXED = [
    ({"type": "txt", "text": {"body": NEUTRAL}}, "the content has a type other than 'text'"),
    ({"text": {"body": NEUTRAL}}, "the content has no type"),
    ({"type": "text", "text": {"bdy": NEUTRAL}}, "text.body is missing"),
    ({"type": "text", "text": {"body": NEUTRAL, "bdy": NEUTRAL}}, "text.bdy is not known"),
    ({"type": "text", "text": NEUTRAL}, "text should be a table"),
    ({"type": "text", "text": {"body": NEUTRAL, "preview_url": NEUTRAL}}, "text.preview_url should be true or false"),
    ({"type": "image", "image": {"link": "ftp://h/a", "caption": NEUTRAL}}, "image.link should be a link that begins"),
    ({"type": "location", "location": {"latitude": NEUTRAL, "longitude": "900"}}, "location.longitude should be betw"),
    (changed("list", ("interactive", "action", "sections"), []), "interactive.action.sections is empty"),
]


@pytest.mark.parametrize(("content", "sentence"), FIXED)
def test_what_is_wrong_whatever_stands_in_the_fields_is_told_without_a_value(content, sentence):
    assert check_content.wording(json.dumps(content)).startswith(sentence)


@pytest.mark.parametrize(
    "content",
    [
        {"type": NEUTRAL, "text": {"body": "Hi"}},
        {"type": "text", "recipient_type": NEUTRAL, "text": {"body": NEUTRAL}},
        {"type": "image", "image": {"link": NEUTRAL}},
        {"type": "sticker", "sticker": {"link": f"https://h/{NEUTRAL}.png"}},
        {"type": "location", "location": {"latitude": NEUTRAL, "longitude": NEUTRAL}},
        changed("buttons", ("interactive", "action", "buttons"), [
            {"type": "reply", "reply": {"id": NEUTRAL, "title": NEUTRAL}},
            {"type": "reply", "reply": {"id": NEUTRAL, "title": NEUTRAL}},
        ]),
        changed("list", ("interactive", "header"), {"type": NEUTRAL, "text": "Hi"}),
    ],
)  # fmt: skip
def test_what_a_value_may_mend_is_left_to_each_row(content):
    assert check_content.wording(json.dumps(content)) == ""


def test_half_a_surrogate_pair_is_checked_as_it_will_be_sent():
    assert check_content('{"type": "text", "text": {"body": "a\ud83d"}}') == ""


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text() | st.just("type"), inner, max_size=4),
)


@given(content=JSON | st.dictionaries(st.sampled_from(["type", *WHOLE]), st.sampled_from([*WHOLE]) | JSON))
def test_no_json_makes_checking_raise_and_no_sentence_has_two_lines(content):
    assert isinstance(check_content(json.dumps(content)), str)


@pytest.mark.parametrize(("kind", "path", "most"), LENGTHS)
def test_no_sentence_repeats_a_value(kind, path, most):
    value = "+91 90000 00001 " * most
    assert "90000" not in check(changed(kind, path, value))
