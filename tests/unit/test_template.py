"""The campaign's text: what it may hold, and that it is filled the same way each time."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.template import MissingValue, TemplateError, compile_template

COLUMNS = ("phone", "name", "a.b", "order id")
VALUES = ["+919000000001", "Asha", "dotted", "17"]


def fill(text: str) -> str | MissingValue:
    return compile_template(text).bind(COLUMNS)(VALUES)


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("Dear {name}, order {order id}.", "Dear Asha, order 17."),
        ("{name}{name}", "AshaAsha"),
        ("{a.b}", "dotted"),
        ("{{name}} costs {{}} 100 %s %", "{name} costs {} 100 %s %"),
        ("{{{name}}}", "{Asha}"),
        ("नमस्ते {name}", "नमस्ते Asha"),
        ("no field", "no field"),
        ("", ""),
    ],
)
def test_fields_are_filled_and_doubled_braces_are_braces(text, filled):
    assert fill(text) == filled


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("Hi {name", "a single '{' at character 4 (write '{{' for the brace)"),
        ("Hi name}", "a single '}' at character 8 (write '}}' for the brace)"),
        ("{a}}", "a single '}' at character 4 (write '}}' for the brace)"),
        ("{a{b}", "a single '{' at character 1 (write '{{' for the brace)"),
        ("Hi {}", "a field without a column at character 4"),
        ("Hi {|Customer}", "a field without a column at character 4"),
    ],
)
def test_a_text_that_is_no_template_names_the_place(text, complaint):
    with pytest.raises(TemplateError) as caught:
        compile_template(text)
    assert str(caught.value) == complaint


@pytest.mark.parametrize("field", ["{name.__class__}", "{name!r}", "{name:>9999}", "{0}", "{name[0]}"])
def test_a_field_is_a_column_and_never_an_expression(field):
    assert compile_template(field).columns == (field[1:-1],)
    assert fill(field) == MissingValue(column=field[1:-1])


def test_the_name_of_a_column_is_taken_exactly():
    assert compile_template("{ name }").columns == (" name ",)
    assert fill("{ name }") == MissingValue(column=" name ")


def test_columns_are_named_once_in_order_of_appearance():
    template = compile_template("{b} {a} {b}")
    assert template.columns == ("b", "a")
    assert not template.is_static


def test_a_text_without_fields_is_static():
    template = compile_template("the same {{for}} all")
    assert template.is_static
    assert template.columns == ()


BLANKS = [None, "", " ", "\t\n\u00a0"]


@pytest.mark.parametrize("value", BLANKS)
def test_a_value_that_is_none_empty_or_blank_is_missing(value):
    fill_row = compile_template("{a}-{b}-{a}").bind(("a", "b"))
    assert fill_row(["1", value]) == MissingValue(column="b")
    assert fill_row([value, value]) == MissingValue(column="a")
    assert fill_row([" 1 ", "2"]) == " 1 -2- 1 "


@pytest.mark.parametrize("value", BLANKS)
def test_a_default_stands_for_a_missing_value_and_an_empty_default_says_that_nothing_is_fine(value):
    fill_row = compile_template("Dear {name|Customer}, order {order|} of {name}.").bind(("name", "order"))
    assert fill_row(["Asha", value]) == "Dear Asha, order  of Asha."
    fill_row = compile_template("Dear {name|Customer}!").bind(("name", "order"))
    assert fill_row([value, "17"]) == "Dear Customer!"
    assert fill_row(["Asha", value]) == "Dear Asha!"
    fill_row = compile_template("{name}{order|}").bind(("name", "order"))
    assert fill_row([value, "17"]) == MissingValue(column="name")
    assert fill_row(["Asha", value]) == "Asha"


def test_a_default_is_all_that_follows_the_first_bar():
    assert compile_template("{a| b|c }").defaults == (" b|c ",)
    assert compile_template("{a| b|c }").bind(("a",))([None]) == " b|c "


def test_a_default_stands_for_a_column_that_the_row_has_not():
    assert compile_template("{a}{b|-}{c|?}").bind(("a", "c"))(["1", None]) == "1-?"
    assert compile_template("{a|x}{b}").bind(())([]) == MissingValue(column="b")


def test_a_field_without_a_default_is_missing_beside_one_that_has_one():
    fill_row = compile_template("{a|x}{b|y}{a}").bind(("a", "b"))
    assert fill_row([None, None]) == MissingValue(column="a")
    assert fill_row(["1", None]) == "1y1"


def test_columns_with_a_default_are_named_too():
    assert compile_template("{b|x} {a} {b}").columns == ("b", "a")


names = st.sampled_from(["x", "y", "long name"])
pieces = st.lists(
    st.one_of(
        st.tuples(st.just("text"), st.text(max_size=6)),
        st.tuples(st.just("field"), names),
        st.tuples(st.just("default"), st.tuples(names, st.text(max_size=4, alphabet="ab|%é"))),
    ),
    max_size=8,
)


def written(kind, part):
    """A piece as it stands in a template."""
    match kind, part:
        case "text", text:
            return text.replace("{", "{{").replace("}", "}}")
        case "field", column:
            return f"{{{column}}}"
        case _, (column, default):
            return f"{{{column}|{default}}}"


def present(row, column):
    value = row.get(column)
    return value if value is not None and value.strip() else None


def expected(kind, part, row):
    """A piece as it stands in the message; `None` where it can not be written."""
    match kind, part:
        case "text", text:
            return text
        case "field", column:
            return present(row, column)
        case _, (column, default):
            return present(row, column) or default


@given(pieces=pieces, row=st.dictionaries(names, st.none() | st.text(max_size=5)))
def test_filling_puts_each_value_in_its_place_and_keeps_the_rest(pieces, row):
    fill_row = compile_template("".join(written(*piece) for piece in pieces)).bind(tuple(row))
    parts = [expected(*piece, row) for piece in pieces]
    if None in parts:
        assert isinstance(fill_row(list(row.values())), MissingValue)
    else:
        assert fill_row(list(row.values())) == "".join(parts)
