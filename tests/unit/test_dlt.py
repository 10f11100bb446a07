"""DLT templates: the matcher agrees with one who tries everything, explains itself, and never tries everything."""

import re
import sys
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.domain.dlt import VARIABLES, Differs, DltTemplateError, Matches, compile_dlt_template

TEMPLATE = "Dear {#var#}, order {#var#} is on its way."
VAR = "{#var#} takes at most 30 characters"
DIGITS = "{#numeric#} takes at most 30 characters, all digits"
LETTERS = "{#alphanumeric#} takes at most 30 characters, all letters, digits or blanks"


def judged(template, body, **options):
    answer = compile_dlt_template(template, **options).match(body)
    return answer.reason.removeprefix("does not match the DLT template at ") if isinstance(answer, Differs) else ""


@pytest.mark.parametrize(
    ("template", "body"),
    [
        (TEMPLATE, "Dear Asha, order 17 is on its way."),
        (TEMPLATE, "Dear , order  is on its way."),
        (TEMPLATE, "Dear A, order B, order 17 is on its way."),
        (TEMPLATE, f"Dear {'न' * 30}, order {'1' * 30} is on its way."),
        ("no variable", "no variable"),
        ("", ""),
        ("{#var#}", "a\nb"),
        ("{#var#}{#var#}!", "a" * 60 + "!"),
        ("{#var#}X{#var#}END", "X" + "." * 29 + "X" + "." * 30 + "END"),
        ("{#numeric#}{#alphanumeric#}.", "1" * 35 + "a."),
        ("OTP {#numeric#}.", "OTP 123456."),
        ("{#alphanumeric#} {#alphanumeric#}", "आशा देवी Rao 4"),
        ("See {#url#} or {#urlott#}", "See https://a.example/x?y=1 or b.example"),
        ("Call {#cbn#}", "Call +91 90000 00001"),
        ("Write to {#email#}.", "Write to a.b@c.example."),
        ("a # b {x} {#var#} #}", "a # b {x} y #}"),
    ],
)
def test_a_body_with_a_value_for_each_variable_matches(template, body):
    assert compile_dlt_template(template).match(body) == Matches()


@pytest.mark.parametrize(
    ("template", "body", "complaint"),
    [
        (
            TEMPLATE,
            "Dear Asha, order 17 is on the way.",
            'character 27: expected "its way.", found "the way."',
        ),
        (TEMPLATE, "dear Asha, order 17", 'character 1: expected "Dear ", found "dear Asha, order 17"'),
        (TEMPLATE, "Dear Asha,  order 17", 'character 12: expected "order ", found " order 17"'),
        (TEMPLATE, "Dear Asha, order 17", 'character 20: expected " is on its way.", found the end'),
        (TEMPLATE, "Dear Asha, order 17 is on its way. Bye", 'character 35: expected the end, found " Bye"'),
        (TEMPLATE, "Dear Asha, order 17 is on its way.\n", 'character 35: expected the end, found "\\n"'),
        (TEMPLATE, "", 'character 1: expected "Dear ", found the end'),
        (
            TEMPLATE,
            f"Dear {'a' * 32}, order 17 is on its way.",
            f'character 36: expected ", order ", found "aa, order 17 is on its …" ({VAR})',
        ),
        ("OTP {#numeric#}.", "OTP 12a4.", f'character 7: expected ".", found "a4." ({DIGITS})'),
        ("{#numeric#}", "१", f'character 1: expected the end, found "१" ({DIGITS})'),
        ("{#alphanumeric#}", "a_b", f'character 2: expected the end, found "_b" ({LETTERS})'),
        ("{#var#}{#numeric#}", "a" * 31, f'character 31: expected the end, found "a" ({VAR}; {DIGITS})'),
        (
            "{#var#}{#var#}",
            "a" * 61,
            'character 61: expected the end, found "a" ({#var#} takes at most 60 characters)',
        ),
        ("the same", "the same!", 'character 9: expected the end, found "!"'),
        ("a{#var#}ab", "ab", 'character 3: expected "ab", found the end'),
    ],
)
def test_a_body_that_differs_says_where(template, body, complaint):
    assert judged(template, body) == complaint


def test_the_sentence_is_whole():
    answer = compile_dlt_template("Hi").match("Ho")
    assert answer.reason == 'does not match the DLT template at character 2: expected "i", found "o"'


def test_the_length_of_a_value_is_given():
    assert judged("{#var#}", "a" * 40, longest_value=40) == ""
    assert judged("{#var#}", "a" * 41, longest_value=40).startswith('character 41: expected the end, found "a"')


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("Hi {#name#}", "an unknown tag {#name#} at character 4; there are {#var#}, {#numeric#}, {#alphanumeric#}, "),
        ("{#VAR#}", "an unknown tag {#VAR#} at character 1; "),
        ("{#var#} {##}", "an unknown tag {##} at character 9; "),
        ("Hi {#var}", "a tag that is not closed at character 4"),
        ("Hi {#var {#var#}", "a tag that is not closed at character 4"),
    ],
)
def test_a_text_that_is_no_template_names_the_place(text, complaint):
    with pytest.raises(DltTemplateError) as caught:
        compile_dlt_template(text)
    assert str(caught.value).startswith(complaint)


# Properties: few characters and short values, so that fixed texts turn up inside values.

LONGEST = 2
TAKES = {"var": "ab1 ", "numeric": "1", "url": "ab1"}
tags = st.sampled_from(sorted(TAKES)).map(lambda tag: f"{{#{tag}#}}")
parts = st.lists(tags | st.text(alphabet="ab1 ", min_size=1, max_size=3), max_size=7)


def tries_everything(parts, body):
    @cache
    def fits(index, place):
        if index == len(parts):
            return place == len(body)
        tag = parts[index][2:-2]
        if tag not in VARIABLES:
            return body.startswith(parts[index], place) and fits(index + 1, place + len(parts[index]))
        return any(
            all(character in TAKES[tag] for character in body[place:end]) and fits(index + 1, end)
            for end in range(place, min(place + LONGEST, len(body)) + 1)
        )

    return fits(0, 0)


@given(parts=parts, data=st.data())
def test_the_matcher_agrees_with_one_who_tries_everything(parts, data):
    values = st.text(alphabet="ab1 ", max_size=LONGEST + 1)
    body = "".join(data.draw(values) if part.startswith("{#") else part for part in parts)
    body = data.draw(st.just(body) | values.map(lambda more: body + more) | st.text(alphabet="ab1 ", max_size=10))
    answer = compile_dlt_template("".join(parts), longest_value=LONGEST).match(body)
    assert isinstance(answer, Matches) == tries_everything(parts, body)
    if isinstance(answer, Differs):
        assert body[answer.character - 1 :] == answer.found
        assert answer.expected != answer.found


def lines_run(call):
    """Count the lines of Python that a call runs: its length in steps, whatever the machine does beside it."""
    steps = 0

    def trace(_frame, event, _argument):
        nonlocal steps
        steps += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    return steps


@pytest.mark.parametrize("literal", ["a", "aa", "aab"])
def test_a_body_made_to_be_hard_takes_steps_in_proportion(literal):
    """Each fixed text may stand at hundreds of places, and only at the very end nothing fits."""

    def steps(variables, length):
        template = compile_dlt_template(literal.join(["{#var#}"] * variables) + "x", longest_value=length)
        body = literal * (length // len(literal))
        return lines_run(lambda: template.match(body))

    assert 1000 < steps(20, 1000) < 20 * 1000 * 20
    assert steps(20, 2000) < 2.2 * steps(20, 1000)
    assert steps(40, 1000) < 2.2 * steps(20, 1000)


def searches(call):
    """Count what a call asks of regular expressions, whose own steps no trace shows."""
    asked = 0

    def profile(_frame, event, argument):
        nonlocal asked
        asked += event == "c_call" and isinstance(getattr(argument, "__self__", None), re.Pattern)

    before = sys.getprofile()
    sys.setprofile(profile)
    try:
        call()
    finally:
        sys.setprofile(before)
    return asked


def test_where_a_values_characters_end_is_looked_up_once_a_body():
    template = compile_dlt_template("{#alphanumeric#}a" * 50 + "{#numeric#}z")
    assert searches(lambda: template.match("a" * 500 + "!")) <= 1 + len({"alphanumeric", "numeric"})


@given(parts=parts, data=st.data())
def test_what_the_quick_pattern_matches_the_matcher_matches_too(parts, data):
    values = st.text(alphabet="ab1 ", max_size=LONGEST)
    body = "".join(data.draw(values) if part.startswith("{#") else part for part in parts)
    template = compile_dlt_template("".join(parts), longest_value=LONGEST)
    slow = replace(template, quick=re.compile("(?!)"))
    if template.gaps:
        assert slow.match(body) == template.match(body)
