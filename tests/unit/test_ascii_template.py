"""A text with `ascii = true`: what is filled is replaced as a whole, after its values are in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.ascii_template import AsciiTemplate
from worker.domain.lookalikes import replaced
from worker.domain.template import MissingValue, compile_template


def ascii_template(text):
    return AsciiTemplate(text=compile_template(text))


@pytest.mark.parametrize(
    ("text", "values", "body"),
    [
        ("It’s {name}’s", ["Asha"], "It's Asha's"),
        ("It's {name}", ["“Asha”"], 'It\'s "Asha"'),
        ("It’s {name}", ["आशा"], "It’s आशा"),  # one letter outside the alphabet, and the rest saves nothing
        ("It’s {name|you}", [None], "It's you"),
    ],
)
def test_look_alikes_of_the_text_and_of_its_values_are_replaced(text, values, body):
    assert ascii_template(text).bind(["name"])(values) == body


def test_a_text_that_all_get_is_replaced_too():
    template = ascii_template("It’s – “free”…")
    assert template.is_static
    assert template.bind(())(()) == 'It\'s - "free"...'


def test_columns_and_missing_values_are_those_of_the_text():
    template = ascii_template("It’s {name}, {city}")
    assert (template.columns, template.is_static) == (("name", "city"), False)
    assert template.bind(["city", "name"])(["Pune", None]) == MissingValue(column="name")


@given(value=st.text(alphabet="ab’“–…नé", min_size=1, max_size=20))
def test_it_fills_as_the_text_does_and_then_replaces(value):
    plain = compile_template("Dear {name} – hi").bind(["name"])([value])
    assert ascii_template("Dear {name} – hi").bind(["name"])([value]) == replaced(plain)
