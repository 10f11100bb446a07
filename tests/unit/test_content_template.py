"""A content object with fields: filled as JSON, whatever the values hold."""

import json
import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.content_template import compile_content
from worker.domain.template import MissingValue, TemplateError

COLUMNS = ("phone", "name", "order id")
VALUES = ["+919000000001", 'A"sh\\a\n', "17"]


def fill(content, columns=COLUMNS, values=VALUES):
    return compile_content(content).bind(columns)(values)


def test_fields_are_filled_in_every_string_and_braces_are_braces():
    content = {
        "type": "text",
        "text": {"preview_url": True, "body": "नमस्ते {name}, {{{order id}}}"},
        "more": ["{name}", {"deep": ["plain", "{order id}{order id}"]}],
    }
    assert json.loads(fill(content)) == {
        "type": "text",
        "text": {"preview_url": True, "body": 'नमस्ते A"sh\\a\n, {17}'},
        "more": ['A"sh\\a\n', {"deep": ["plain", "1717"]}],
    }


def test_keys_are_written_as_they_stand_in_one_order():
    assert fill({"b{name}": "x", "a": False}) == '{"a":false,"b{name}":"x"}'
    assert compile_content({"a": "1", "b": "2"}) == compile_content({"b": "2", "a": "1"})


def test_a_content_without_fields_is_the_same_for_all():
    template = compile_content({"type": "text", "text": {"body": "{{hi}}"}})
    assert template.is_static
    assert template.columns == ()
    assert template.bind(())([]) == '{"text":{"body":"{hi}"},"type":"text"}'


def test_columns_are_named_once_in_order_of_appearance():
    template = compile_content({"a": ["{name}", "{phone} {name}"], "b": "{order id}"})
    assert template.columns == ("name", "phone", "order id")
    assert not template.is_static


@pytest.mark.parametrize("value", [None, "", " \n"])
def test_a_value_that_is_none_empty_or_blank_is_missing(value):
    content = {"a": "{name}", "b": "{order id}"}
    assert fill(content, values=["", value, value]) == MissingValue(column="name")
    assert fill(content, values=["", "x", value]) == MissingValue(column="order id")
    assert fill({"a": "{name|}", "b": "{order id|-}"}, values=["", value, value]) == '{"a":"","b":"-"}'
    assert fill(content, columns=("name",), values=["x"]) == MissingValue(column="order id")
    assert fill(content, columns=("other",), values=["x"]) == MissingValue(column="name")


def test_filling_leaves_the_recipients_values_as_they_are():
    values = ["1", 'a"b', "3"]
    fill({"a": "{name}"}, values=values)
    assert values == ["1", 'a"b', "3"]


DEEP: dict = {}
for _ in range(30):
    DEEP = {"in": DEEP}


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ({"text": {"body": "Hi {name"}}, "text.body has a single '{' at character 4 (write '{{' for the brace)"),
        ({"rows": [{"id": "ok"}, {"id": "{}"}]}, "rows[1].id has a field without a column at character 1"),
        ({"at": [date(2026, 1, 1)]}, "at[0] should be text in quotes, true, false, a list or a table"),
        ({"n": {"x": 1}}, "n.x should be text in quotes, true, false, a list or a table"),
        ({"n": 1.5}, "n should be text in quotes, true, false, a list or a table"),
        ({"n": None}, "n should be text in quotes, true, false, a list or a table"),
        (DEEP, f"{'.'.join(['in'] * 21)} is nested more than 20 deep"),
    ],
)
def test_what_is_no_content_is_told_with_its_place(content, sentence):
    with pytest.raises(TemplateError) as caught:
        compile_content(content)
    assert str(caught.value) == sentence


def by_walking(content, row):
    """The slow oracle: replace in each string of the object, then there is nothing to escape."""
    match content:
        case str():
            pattern = re.compile(r"\{\{|\}\}|\{([^{}]+)\}")
            return pattern.sub(lambda token: row[token[1]] if token[1] else token[0][0], content)
        case dict():
            return {key: by_walking(value, row) for key, value in content.items()}
        case list():
            return [by_walking(item, row) for item in content]
    return content


texts = st.lists(
    st.sampled_from(["{x}", "{y}", "{long name}", "{{", "}}", '"', "\\", "\n", "é"])
    | st.text("ab \u2028\x00", max_size=3),
    max_size=5,
).map("".join)
contents = st.recursive(
    texts | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)
plain = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)


@given(content=st.dictionaries(st.text(max_size=4), contents, max_size=4), values=st.tuples(plain, plain, plain))
def test_filling_is_what_replacing_in_the_object_gives(content, values):
    row = dict(zip(("x", "y", "long name"), values, strict=True))
    template = compile_content(content)
    filled = template.bind(tuple(row))(list(values))
    missing = next((column for column in template.columns if not row[column].strip()), None)
    if missing is not None:
        assert filled == MissingValue(column=missing)
        return
    assert json.loads(filled) == by_walking(content, row)
