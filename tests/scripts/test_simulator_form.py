"""The simulator's reader of forms: fast, and the same as the slow one."""

from urllib.parse import parse_qsl, unquote_plus, urlencode

from hypothesis import given
from hypothesis import strategies as st

from scripts.simulator.form import Form, parse

names = st.text(st.characters(exclude_characters="[]\0", exclude_categories=["Cs"]), min_size=1, max_size=8)
values = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)


@given(st.lists(st.tuples(names, values)))
def test_texts_are_those_of_the_standard_library(pairs):
    raw = urlencode(pairs)
    assert parse(raw.encode()).texts == dict(parse_qsl(raw, keep_blank_values=True))


@given(st.text("%0aA f+25é", max_size=20))
def test_a_stray_percent_sign_stays_as_it_is(text):
    expected = unquote_plus(text.replace("%00", " "), errors="replace")
    assert parse(b"Body=" + text.encode()).texts["Body"] == expected


@given(st.binary(max_size=60))
def test_no_body_is_too_strange_to_read(raw):
    assert isinstance(parse(raw), Form)


def test_each_shape_of_parameter_has_its_place():
    form = parse(
        b"From=EXOTEL&To[]=1&To%5B%5D=2&Messages[0][To]=3&Messages%5B0%5D%5BBody%5D=x%26y%3Dz&Messages[1][To]=4&a[b][c][d]=5"
    )
    assert form.texts == {"From": "EXOTEL"}
    assert list(form.lists["To"].values()) == ["1", "2"]
    assert list(form.tables["Messages"].values()) == [{"To": "3", "Body": "x&y=z"}, {"To": "4"}]
    assert form.too_deep == {"a"}


def test_entries_stand_in_the_order_of_first_mention():
    form = parse(b"Messages[7][To]=1&Messages[2][To]=2&Messages[7][Body]=x")
    assert list(form.tables["Messages"].values()) == [{"To": "1", "Body": "x"}, {"To": "2"}]


def test_of_a_name_given_twice_the_last_value_stands():
    assert parse(b"To=1&To=2").texts == {"To": "2"}
