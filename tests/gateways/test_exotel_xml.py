"""Exotel's XML as the documents that JSON gives, and XML that nobody should read."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.gateways.exotel_entries import entries_of
from worker.gateways.exotel_xml import LIMIT_BYTES, entries_in

BODIES = Path(__file__).parent / "exotel_sms"
ONE = "<TwilioResponse><SMSMessage><Sid>s1</Sid><To/></SMSMessage></TwilioResponse>"


@pytest.mark.parametrize("name", ["accepted", "partial-static", "partial-dynamic"])
def test_xml_gives_the_entries_that_json_gives(name):
    from_xml = entries_in((BODIES / f"{name}.xml").read_bytes())
    from_json = json.loads((BODIES / f"{name}.json").read_bytes())
    keys = ("Sid", "Status", "Direction")
    shown = [[[entry[key] for key in keys] for entry in entries_of(each)] for each in (from_xml, from_json)]
    assert shown[0] == shown[1]


@pytest.mark.parametrize(
    ("body", "entries"),
    [
        (ONE, [{"SMSMessage": {"Sid": "s1", "To": None}}]),
        (f'\ufeff\n<?xml version="1.0"?>{ONE}', [{"SMSMessage": {"Sid": "s1", "To": None}}]),
        (ONE.replace("s1", "&lt;b&gt; &#2344;"), [{"SMSMessage": {"Sid": "<b> न", "To": None}}]),
        (ONE.replace("<SMSMessage>", "<RestException><Code>40203</Code></RestException><SMSMessage>"),
         [{"RestException": {"Code": "40203"}}, {"SMSMessage": {"Sid": "s1", "To": None}}]),
        (ONE.replace("s1", "<!-- s2 --><![CDATA[s1]]>"), [{"SMSMessage": {"Sid": "s1", "To": None}}]),
    ],
)  # fmt: skip
def test_messages_keep_their_place_and_their_texts(body, entries):
    assert entries_in(body.encode()) == entries


LAUGHS = "".join(f'<!ENTITY l{n} "&l{n - 1};&l{n - 1};">' for n in range(1, 60))


@pytest.mark.parametrize(
    "body",
    [
        f'<!DOCTYPE TwilioResponse [<!ENTITY l0 "ha">{LAUGHS}]>' + ONE.replace("s1", "&l59;"),
        '<!DOCTYPE TwilioResponse [<!ENTITY f SYSTEM "file:///etc/passwd">]>' + ONE.replace("s1", "&f;"),
        f"<!DOCTYPE TwilioResponse>{ONE}",
        ONE.replace("s1", "&f;"),
        ONE.replace("s1", "x" * LIMIT_BYTES),
        ONE[:-3],
        ONE.replace("TwilioResponse", "html") + "<TwilioResponse/>",
        f"<html>{ONE}</html>",
        ONE.replace("SMSMessage", "Message"),
        '<?xml version="1.0" encoding="utf-16"?><TwilioResponse',
        ONE.replace("s1", "\x00"),
        "",
    ],
)
def test_what_is_unsafe_large_or_something_else_is_not_read(body):
    assert entries_in(body.encode()) is None


def test_an_encoding_can_hide_no_document_type():
    hidden = f'<?xml version="1.0" encoding="utf-16"?><!DOCTYPE TwilioResponse [<!ENTITY f "x">]>{ONE}'
    assert entries_in(hidden.encode("utf-16")) is None
    assert entries_in(hidden.encode("utf-16") + b"<TwilioResponse>") is None
    seven = ONE.replace(
        "<TwilioResponse>", '<?xml version="1.0" encoding="UTF-7"?>+ADwAIQ-DOCTYPE a+AD4-<TwilioResponse>'
    )
    assert entries_in(seven.encode()) is None


def test_deep_nesting_is_survived():
    depth = LIMIT_BYTES // 8
    body = f"<TwilioResponse><SMSMessage>{'<a>' * depth}{'</a>' * depth}</SMSMessage></TwilioResponse>".encode()
    assert entries_in(body) == [{"SMSMessage": {"a": None}}]


@given(inside=st.binary())
def test_no_bytes_raise(inside):
    for body in (inside, b"<TwilioResponse>" + inside, ONE.encode().replace(b"s1", inside)):
        found = entries_in(body)
        assert found is None or entries_of(found) is not None


PIECES = st.sampled_from(
    ["<SMSMessage>", "</SMSMessage>", "<Sid>", "</Sid>", "<To/>", "s1", "<", ">", "&", "&#0;", "]]>", "<![CDATA["]
)


@given(inside=st.lists(PIECES, max_size=12))
def test_no_broken_xml_raises(inside):
    found = entries_in(f"<TwilioResponse>{''.join(inside)}</TwilioResponse>".encode())
    assert found is None or isinstance(entries_of(found), list)
