"""Numbers from a file of them: each judged once, and a bad line named."""

import gzip

import pytest

from config.errors import ConfigError
from worker.domain.suppression import Reason
from worker.intake.numbers import BadPlace, Listed, open_numbers


@pytest.fixture
def read(tmp_path):
    def reading(name, content, column="to"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        with open_numbers(str(path), column=column, default_country="IN") as found:
            return list(found)

    return reading


A, B = Listed(number=919000000001), Listed(number=919000000002)
FILES = {
    "text": ("stop.txt", "\ufeff+919000000001\n\n 90000 00002 \r\n\n", "to"),
    "zipped text": ("STOP.TXT.GZ", gzip.compress(b"9000000001\n9000000002"), "to"),
    "a table": ("stop.csv", "name,to\nAsha,9000000001\nBala,09000000002\n", "to"),
    "a table with another column": ("stop.csv", "phone,to\n9000000001,x\n9000000002,y\n", "phone"),
    "objects": ("stop.jsonl", '{"to": 919000000001}\n{"name": "Bala", "to": "9000000002"}\n', "to"),
}


@pytest.mark.parametrize("kind", FILES)
def test_numbers_are_read_from(read, kind):
    assert read(*FILES[kind]) == [A, B]


def test_a_bad_line_of_a_text_is_named_by_its_line(read):
    assert read("stop.txt", "9000000001\n\n12\n") == [A, BadPlace(place="line 3", reason="too short for IN")]


def test_a_bad_row_of_a_table_is_named_by_its_row(read):
    assert read("stop.csv", "to,name\nnobody,a\n9000000001\n9000000002,b\n") == [
        BadPlace(place="row 1", reason="not a phone number"),
        BadPlace(place="row 2", reason="row has 1 field, the header has 2"),
        B,
    ]


def test_an_object_without_the_column_is_named(read):
    assert read("stop.jsonl", '{"to": "9000000001"}\n{"phone": "9000000002"}\n{"to": null}\n') == [
        A,
        BadPlace(place="row 2", reason="no value in column 'to'"),
        BadPlace(place="row 3", reason="no value in column 'to'"),
    ]


def test_a_reason_is_read_where_it_is_one(read):
    assert read("stop.csv", "to,reason\n9000000001,dnd\n9000000002,no answer\n9000000002,\n") == [
        Listed(number=A.number, reason=Reason.DND),
        B,
        B,
    ]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("stop.csv", "tto,name\n", 'there is no column "to"; did you mean "tto"?'),
        ("stop.csv", "", "the file is empty"),
        ("stop.txt", b"9000000001\n\0\n", "line 2: a NUL character"),
        ("stop.txt.gz", b"9000000001\n", "the gzip file is damaged"),
        ("stop.doc", "9000000001\n", "are read from"),
    ],
)
def test_what_can_not_be_read_is_a_sentence(read, name, content, sentence):
    with pytest.raises(ConfigError, match=sentence.replace("?", "[?]")):
        read(name, content)


def test_a_file_that_is_not_there_is_a_sentence(tmp_path):
    path = str(tmp_path / "stop.txt")
    with (
        pytest.raises(ConfigError, match="No such file"),
        open_numbers(path, column="to", default_country="IN"),
    ):
        pass
