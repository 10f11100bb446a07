"""How delivery reports are written and bundled, and where they may go."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.simulator.letters import Envelope, Letter, bundled, callback_url


@given(st.integers(1, 99))
def test_no_call_has_too_many_whatsapp_reports_and_none_is_lost(count):
    letters = [Letter(url="http://127.0.0.1/", envelope=Envelope.WHATSAPP, fields={"sid": n}) for n in range(count)]
    posts = list(bundled(letters))
    told = [report["sid"] for post in posts for report in json.loads(post.body)["whatsapp"]["messages"]]
    assert told == list(range(count))
    assert [post.count for post in posts[:-1]] == [20] * (len(posts) - 1)


@pytest.mark.parametrize("url", ["http://127.0.0.1", "https://sim.example:8443/a?b=c", "http://[::1]:80/"])
def test_http_urls_can_be_reported_to(url):
    assert callback_url(url) == url


@pytest.mark.parametrize("url", ["", None, "sim.example", "ftp://sim.example", "http://k:t@sim.example/", "http://[/"])
def test_anything_else_can_not(url):
    assert callback_url(url) == ""


def test_forms_and_objects_go_one_a_call():
    letters = [Letter(url="http://127.0.0.1/", envelope=envelope, fields={"To": "+1"}) for envelope in Envelope] * 2
    assert [post.body for post in bundled(letters)][:2] == [b"To=%2B1", b'{"To":"+1"}']
    assert [post.count for post in bundled(letters)] == [1] * 6
