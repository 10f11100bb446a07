"""Rows from everything that recipients may stand in, and one sentence for each input that is wrong."""

import codecs
import gzip
import io
import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import ConfigError
from worker.intake.encodings import Utf16AsUtf8
from worker.intake.lines import MAX_LINE_BYTES
from worker.intake.readers import open_rows, rows_from
from worker.intake.rows import MAX_COLUMNS, BadRow

AFTER_THE_QUOTE = 'something follows the closing quote of a field; a quote inside a field is written ""'


@pytest.fixture
def write(tmp_path):
    def write_file(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write_file


@pytest.fixture
def complaint(write):
    """The sentence for a file's content, without the file's name, which each sentence begins with."""

    def complain(name, content):
        path = write(name, content)
        with pytest.raises(ConfigError) as caught:
            everything(path)
        assert str(caught.value).startswith(str(path))
        return str(caught.value).removeprefix(str(path)).removeprefix(": ").removeprefix(", ")

    return complain


def everything(source, **options):
    """All blocks of a source, as (columns, rows)."""
    with open_rows(source, **options) as rows:
        return blocks_of(rows)


def blocks_of(rows):
    return [(block.columns, list(block.rows)) for block in rows.blocks]


def test_a_csv_gives_its_header_and_its_rows_without_blank_lines(write):
    path = write("r.csv", 'to,name\r\n1,"Asha, ""A"""\r\n\r\n2,"two\nlines"\r\n')
    with open_rows(path) as rows:
        assert rows.columns == ("to", "name")
        assert rows.name == str(path)
        assert blocks_of(rows) == [(("to", "name"), [["1", 'Asha, "A"'], ["2", "two\nlines"]])]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("pack", [lambda content: content, gzip.compress])
def test_a_byte_order_mark_and_gzip_change_nothing(write, mark, pack):
    suffix = ".gz" if pack is gzip.compress else ""
    csv_path = write("R.CSV" + suffix.upper(), pack(mark + "to,name\n1,आशा\n".encode()))
    jsonl_path = write("r.jsonl" + suffix, pack(mark + '{"to": "1", "name": "आशा"}\n'.encode()))
    assert everything(csv_path) == everything(jsonl_path) == [(("to", "name"), [["1", "आशा"]])]


@pytest.mark.parametrize(
    ("content", "columns", "row", "note"),
    [
        ("to,a\n1,2;3\n", ("to", "a"), ["1", "2;3"], None),
        ("to\n1;2\n", ("to",), ["1;2"], None),
        ('"to;x",a\n1,2\n', ("to;x", "a"), ["1", "2"], None),
        ("\n\nto;a\n1;2,5\n", ("to", "a"), ["1", "2,5"], "semicolons"),
        ('to\ta b\n1\t"x\ty"\n', ("to", "a b"), ["1", "x\ty"], "tabs"),
        ("to|a\n1|2\n", ("to", "a"), ["1", "2"], "bars"),
        ("to,a;b\n1,2\n", ("to", "a;b"), ["1", "2"], "commas; this is a guess, for the header has semicolons too"),
        (
            "to;a,b;c|d\n1;2;3\n",
            ("to", "a,b", "c|d"),
            ["1", "2", "3"],
            "semicolons; this is a guess, for the header has commas and bars too",
        ),
    ],
)
def test_the_header_tells_what_separates_columns(write, content, columns, row, note):
    path = write("r.csv", content)
    with open_rows(path) as rows:
        assert rows.columns == columns
        assert rows.notes == ([f"{path}: columns are separated by {note}"] if note else [])
        [(_, [read])] = blocks_of(rows)
        assert read == row


UTF_16 = "read as UTF-16, as its byte order mark says"
GUESSED = "this is a guess: if letters come out wrong, save the file as UTF-8"


@pytest.mark.parametrize(
    ("content", "note"),
    [
        ("to,name\n1,é\u2013\n".encode(), None),
        (codecs.BOM_UTF8 + "to,name\n1,é\u2013\n".encode(), None),
        (codecs.BOM_UTF16_LE + "to,name\n1,é\u2013\n".encode("utf-16-le"), UTF_16),
        (codecs.BOM_UTF16_BE + "to,name\n1,é\u2013\n".encode("utf-16-be"), UTF_16),
        ("to,name\n1,é\u2013\n".encode("cp1252"), f"read as Windows-1252, since line 2 is not UTF-8; {GUESSED}"),
    ],
)
def test_the_encoding_is_found_and_said(write, content, note):
    expected = [(("to", "name"), [["1", "é\u2013"]])]
    for path in (write("r.csv", content), write("r.csv.gz", gzip.compress(content))):
        with open_rows(path) as rows:
            assert blocks_of(rows) == expected
            assert rows.notes == ([f"{path}: {note}"] if note else [])
    assert everything("-", stdin=io.BytesIO(content)) == expected


@given(
    text=st.text(alphabet="aéन\n😀", max_size=30),
    cut=st.integers(0, 60),
    mark=st.sampled_from(["utf-16-le", "utf-16-be"]),
)
def test_utf_16_gives_the_lines_of_utf_8_however_it_is_cut(text, cut, mark):
    content = ("\ufeff" + text).encode(mark)
    stream = io.BufferedReader(Utf16AsUtf8(content[:cut], io.BytesIO(content[cut:])), 8)
    if cut > 1:
        assert stream.read().decode() == text


def test_windows_1252_once_found_stays(write):
    path = write("r.csv", "to,name\n1,a\n2,é\n3,b\n4,€\n".encode("cp1252"))
    with open_rows(path) as rows:
        assert blocks_of(rows) == [(("to", "name"), [["1", "a"], ["2", "é"], ["3", "b"], ["4", "€"]])]
        assert len(rows.notes) == 1


def test_a_row_that_does_not_fit_the_header_is_a_bad_row(write):
    assert everything(write("r.csv", "to,name\n1\n1,a,b\n1,a\n")) == [
        (
            ("to", "name"),
            [
                BadRow(reason="row has 1 field, the header has 2", read=["1"]),
                BadRow(reason="row has 3 fields, the header has 2", read=["1", "a", "b"]),
                ["1", "a"],
            ],
        )
    ]


def test_a_bad_row_is_fitted_to_a_width():
    assert BadRow(reason="", read=["1", "2", "3"]).fitted(2) == ["1", "2"]
    assert BadRow(reason="", read=["1"]).fitted(2) == ["1", None]
    assert BadRow(reason="", read="a line").fitted(2) == [None, None]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "the file is empty, a header line with the columns' names was expected"),
        ("\n\n", "the file is empty, a header line with the columns' names was expected"),
        ("to,,name\n", "line 1: column 2 has no name"),
        ("\nto,name,to\n", "line 2: two columns are named 'to'"),
        ("to,name\n1,é\n".encode() + b"2,\xe9\n", "line 3: byte 3 of the line is not UTF-8"),
        (codecs.BOM_UTF8 + b"to,name\n1,a\n2,\xe9\n", "line 3: byte 3 of the line is not UTF-8"),
        (b"to,name\n1,\xe9\n2,a\n3," + "é\n".encode(), "line 2 is not UTF-8 and line 4 is; save the file as UTF-8"),
        (b"to,name\n1,\x81\n", "line 2: byte 3 of the line is neither UTF-8 nor Windows-1252"),
        ("to\n1\n".encode("utf-32"), "the text is UTF-32; save the file as UTF-8"),
        ("to\n1\n".encode("utf-16")[:-1], "after line 1: not UTF-16, though it begins with its byte order mark"),
        (
            codecs.BOM_UTF16_LE + "to\n1\n".encode("utf-16-le") + b"\0\xdc",
            "after line 0: not UTF-16, though it begins with its byte order mark",
        ),
        ("to\n\0\n".encode("utf-16"), "line 2: a NUL character, so this is no text in UTF-8"),
        ("to\n1\n".encode("utf-16-be"), "line 1: a NUL character, so this is no text in UTF-8"),
        ("to\n1\n".encode("utf-16-le"), "line 1: a NUL character, so this is no text in UTF-8"),
        ('to,name\n1,"a\n2,b\n', "lines 2 to 3: a quoted field is never closed"),
        ('to,name\n1,a\n2,"b\n3,c"d\n4,e\n', f"lines 3 to 4: {AFTER_THE_QUOTE}"),
        (
            'to,name\n1,"a\n' + "2,b\n" * 50_000,
            "lines 2 to 32770: a field is longer than 131,072 characters, or its quote is never closed",
        ),
        (
            'to,name\n1,"a"b\n',
            f"line 2: {AFTER_THE_QUOTE}",
        ),
        ("to,name\n1,a\n2,b\0\n", "line 3: a NUL character, so this is no text in UTF-8"),
        ("to,name\r1,a\r", "line 1: a carriage return outside quotes; save the file with ordinary line ends"),
        (
            f"to,name\n1,{'a' * 200_000}\n",
            "line 2: a field is longer than 131,072 characters, or its quote is never closed",
        ),
        (b"to\n" + b"1" * MAX_LINE_BYTES, "line 2: the line is longer than 262,144 bytes"),
        ("a,a" + "b," * 20_000, "line 1: 20,002 columns, at most 16,384 are read"),
        ("to\n1\n" + "," * 20_000 + "\n", "line 3: 20,001 fields, at most 16,384 are read"),
        (
            "to\n1\n" + '"\n",' * 300_000,
            "line 262147: a record over many lines is longer than 1,048,576 characters",
        ),
    ],
)
def test_a_csv_that_is_wrong_gives_one_sentence(complaint, content, sentence):
    assert complaint("r.csv", content) == sentence


def test_rows_before_the_damage_are_read(write):
    with open_rows(write("r.csv", "to\n1é\n2\n".encode() + b"\xff\n")) as rows:
        reading = iter(next(rows.blocks).rows)
        assert [next(reading), next(reading)] == [["1é"], ["2"]]
        with pytest.raises(ConfigError, match="line 4: byte 1 of the line is not UTF-8"):
            next(reading)


def test_values_of_json_are_text_or_missing(write):
    line = (
        '{"to": 919000000001, "big": 123456789012345678901234567890, "f": 10.50, "s": 9.19877E+11,'
        ' "t": true, "n": null, "l": [1, 1.50, "é"], "o": {"a": 1}, "e": ""}'
    )
    [(columns, [values])] = everything(write("r.jsonl", line))
    assert dict(zip(columns, values, strict=True)) == {
        "to": "919000000001",
        "big": "123456789012345678901234567890",
        "f": "10.50",
        "s": "9.19877E+11",
        "t": "true",
        "n": None,
        "l": '[1, 1.5, "é"]',
        "o": '{"a": 1}',
        "e": "",
    }


def test_objects_with_other_columns_are_in_other_blocks(write):
    path = write("r.jsonl", '{"to": "1"}\n{"to": "2"}\n\n{"to": "3", "name": "a"}\n{"to": "4"}\n')
    assert everything(path) == [
        (("to",), [["1"], ["2"]]),
        (("to", "name"), [["3", "a"]]),
        (("to",), [["4"]]),
    ]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{not json", "the line is not JSON"),
        ("[1]", "the line is not a JSON object"),
        ('"text"', "the line is not a JSON object"),
        ('{"to": NaN}', "NaN is not JSON"),
        ('{"to": "1", "to": "2"}', "a key stands twice in the object"),
        ('{"to": ' + "[" * 100_000 + "}", "the line is not JSON"),
    ],
)
def test_a_bad_line_costs_only_itself_but_as_the_first_the_file(write, complaint, line, reason):
    assert everything(write("r.jsonl", f'{{"to": "1"}}\n{line}\n{{"to": "2"}}\n')) == [
        (("to",), [["1"], BadRow(reason=reason, read=line), ["2"]])
    ]
    assert complaint("r.jsonl", f"\n{line}\n") == (f"line 2: {reason}; JSON Lines with one object a line was expected")


def test_half_a_surrogate_pair_is_a_bad_row(write):
    [(_, [good, bad])] = everything(write("r.jsonl", '{"to": "1"}\n{"to": "\\ud800"}\n'))
    assert good == ["1"]
    assert bad == BadRow(reason="a character that is not Unicode text", read="[('to', '\\ud800')]")


def test_an_empty_jsonl_is_refused(complaint):
    assert complaint("r.jsonl", "\n") == "the file is empty, one JSON object a line was expected"


def test_damaged_gzip_is_refused(complaint):
    whole = gzip.compress(b"to\n" + b"".join(b"%d\n" % n for n in range(50_000)))
    assert complaint("r.csv.gz", b"to\n1\n") == "after line 0: the gzip file is damaged, or is none"
    assert complaint("r.csv.gz", whole[: len(whole) // 2]).endswith("the gzip file is damaged, or is none")


@pytest.mark.parametrize(
    ("start", "piece", "sentence"),
    [
        (b"to\n", b"1" * 1000, "line 2: the line is longer than 262,144 bytes"),
        (b'to\n"', b"1\n" * 500, "lines 2 to 65538: a field is longer than 131,072 characters, or its quote"),
        (b"to\n", b"\0" * 1000, "line 2: the line is longer than 262,144 bytes"),
        (b"to\n", b"," * 1000, "line 2: the line is longer than 262,144 bytes"),
    ],
)
def test_a_field_of_millions_is_refused_without_being_held(write, start, piece, sentence):
    path = write("r.csv.gz", gzip.compress(start + piece * 20_000, 1))
    tracemalloc.start()
    try:
        with pytest.raises(ConfigError) as caught:
            everything(path)
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()
    assert str(caught.value).startswith(f"{path}, {sentence}")


def test_files_of_other_kinds_are_refused_by_name(tmp_path):
    with pytest.raises(
        ConfigError, match=r"r\.txt: recipients are read from \.csv, \.csv\.gz, \.jsonl, \.jsonl\.gz, \.xlsx or"
    ):
        open_rows(tmp_path / "r.txt")
    with pytest.raises(ConfigError, match=r"r\.xlsx\.gz: recipients are read from"):
        open_rows(tmp_path / "r.xlsx.gz")
    with pytest.raises(ConfigError, match=r"r\.csv: No such file or directory"):
        open_rows(tmp_path / "r.csv")


@pytest.mark.parametrize(
    ("content", "columns"),
    [(b"to,name\n1,a\n", ("to", "name")), (b'\n \n {"to": "1", "name": "a"}\n', None)],
)
def test_standard_input_tells_its_format_by_its_first_character(content, columns):
    stdin = io.BytesIO(content)
    with open_rows("-", stdin=stdin) as rows:
        assert rows.columns == columns
        assert rows.name == "standard input"
        assert blocks_of(rows) == [(("to", "name"), [["1", "a"]])]
    assert not stdin.closed


def test_standard_input_that_is_empty_is_refused():
    with pytest.raises(ConfigError, match="standard input: the file is empty, a header line"):
        open_rows("-", stdin=io.BytesIO(b""))


def test_a_standard_input_that_is_closed_is_refused(monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(ConfigError, match="standard input: it is closed"):
        open_rows("-")


@pytest.mark.parametrize("name", ["r\0.csv", "r\0.xlsx"])
def test_a_name_that_no_file_can_have_is_refused(name):
    with pytest.raises(ConfigError, match="no name of a file has a NUL character"):
        open_rows(name)


def test_a_file_is_read_as_a_stream():
    class Endless(io.RawIOBase):
        def readline(self, _size=-1):
            return b"9000000001\n" if self.started else self.start()

        started = False

        def start(self):
            self.started = True
            return b"to\n"

    with open_rows("-", stdin=Endless()) as rows:
        reading = iter(next(rows.blocks).rows)
        assert [next(reading) for _ in range(1000)] == [["9000000001"]] * 1000


def test_mappings_from_python_are_rows():
    rows = rows_from([{"to": 919000000001, "name": "a"}, {"to": "2", "name": None}, {"to": "3", "ok": True}])
    assert rows.columns is None
    assert blocks_of(rows) == [
        (("to", "name"), [["919000000001", "a"], ["2", None]]),
        (("to", "ok"), [["3", "true"]]),
    ]


class Unspeakable:
    """Of a class that has no text."""

    def __str__(self):
        raise RuntimeError("no words")


circular = []
circular.append(circular)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({("a",): 1}, "a value that can not become text (TypeError)"),
        (circular, "a value that can not become text (ValueError)"),
        (10**5000, "a value that can not become text (ValueError)"),
        (Unspeakable(), "a value that can not become text (RuntimeError)"),
        (b"Asha", "a value of bytes, where text was expected"),
        ("a\0b", "a NUL character"),
    ],
    ids=["key", "circle", "digits", "class", "bytes", "NUL"],
)
def test_a_value_that_can_not_become_text_costs_only_its_row(value, reason):
    [(_, [_, bad, _])] = blocks_of(rows_from([{"to": "1"}, {"to": value}, {"to": "2"}]))
    assert bad == BadRow(reason=reason, read=ascii([("to", value if isinstance(value, str) else type(value).__name__)]))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None])
def test_what_stands_for_no_value_is_none(value):
    assert blocks_of(rows_from([{"to": value}])) == [(("to",), [[None]])]


def test_an_object_has_as_many_columns_as_a_table_at_most(write, complaint):
    wide = dict.fromkeys(map(str, range(MAX_COLUMNS)))
    rows = rows_from([wide, wide | {"to": "1"}])
    assert [row if isinstance(row, list) else row.reason for _, block in blocks_of(rows) for row in block] == [
        [None] * MAX_COLUMNS,
        "row has 16,385 columns, at most 16,384 are read",
    ]
    line = json.dumps(wide | {"to": "1"})
    assert complaint("r.jsonl", line).startswith("line 1: row has 16,385 columns, at most 16,384 are read; JSON Lines")


def test_a_nul_in_a_json_text_costs_only_its_row(write):
    [(_, [_, bad])] = everything(write("r.jsonl", '{"to": "1"}\n{"to": "a\\u0000b"}\n'))
    assert bad.reason == "a NUL character"


def test_a_bad_row_may_come_first():
    rows = rows_from([{"to": "\udc00"}, {"to": "1"}])
    assert [columns for columns, _ in blocks_of(rows)] == [(), ("to",)]


@pytest.mark.parametrize(
    ("recipients", "sentence"),
    [
        ([{"to": "1"}, "2"], "recipients, row 2: a mapping of column to value was expected, not str"),
        ([{1: "2"}], "recipients, row 1: the name of a column should be text, not int"),
    ],
)
def test_what_is_no_mapping_is_refused_with_its_row(recipients, sentence):
    with pytest.raises(ConfigError) as caught:
        blocks_of(rows_from(recipients))
    assert str(caught.value) == sentence
