"""Rows from spreadsheets, and a sentence for each that can not be read or would fill memory."""

import datetime as dt
import io
import zipfile

import openpyxl
import pytest

from config.errors import ConfigError
from worker.intake import sheet_size
from worker.intake.readers import open_rows
from worker.intake.sheet_size import MAX_CELLS, check_size


@pytest.fixture
def save(tmp_path):
    """Write sheets, each a name and its rows, to a file."""

    def save_workbook(**sheets):
        workbook = openpyxl.Workbook()
        workbook.remove(workbook.active)
        for name, rows in sheets.items():
            sheet = workbook.create_sheet(name)
            for row in rows:
                sheet.append(row)
            if name.startswith("hidden"):
                sheet.sheet_state = "hidden"
        path = tmp_path / "r.xlsx"
        workbook.save(path)
        return path

    return save_workbook


def rows_of(path):
    with open_rows(path) as source:
        return source.columns, [row for block in source.blocks for row in block.rows]


def complaint(path):
    with pytest.raises(ConfigError) as caught:
        rows_of(path)
    assert str(caught.value).startswith(f"{path}")
    return str(caught.value).removeprefix(str(path)).removeprefix(": ").removeprefix(", ")


def test_cells_are_text_as_it_stands_in_a_message(save):
    cells = {
        "to": (919000000001, "919000000001"),
        "text": (" 0012 ", " 0012 "),
        "decimal": (10.5, "10.5"),
        "sum": (1.1 + 2.2, "3.3"),
        "nearly whole": (4.35 * 100, "435"),
        "part": (1.5e-7, "0.00000015"),
        "large sum": (123456789012.1 + 0.2, "123456789012.3"),
        "whole": (10.0, "10"),
        "huge": (1e21, "1" + 21 * "0"),
        "large": (123456789012345, "123456789012345"),
        "yes": (True, "true"),
        "day": (dt.date(2026, 11, 22), "2026-11-22"),
        "moment": (dt.datetime(2026, 11, 22, 10, 30), "2026-11-22T10:30:00"),  # noqa: DTZ001 - a cell has no zone
        "time": (dt.time(10, 30), "10:30:00"),
        "nothing": (None, ""),
        "error": ("#N/A", ""),
        "letters": ("आशा ₹", "आशा ₹"),
    }
    path = save(people=[list(cells), [], [value for value, _ in cells.values()]])
    assert rows_of(path) == (tuple(cells), [[text for _, text in cells.values()]])


def test_the_first_sheet_that_is_shown_is_read_and_said(save):
    path = save(hidden=[["x"], [1]], people=[["to"], [1]], others=[["y"], [2]])
    with open_rows(path) as source:
        assert source.columns == ("to",)
        assert source.notes == [f'{path}: sheet "people" is read, the first of 2']
    with open_rows(save(people=[["to"], [1]])) as source:
        assert source.notes == []


def test_a_table_may_begin_anywhere(save):
    assert rows_of(save(people=[[], [None, None, "to", "name"], [None, None, 1, None], [], [None, None, 2, "b"]])) == (
        ("to", "name"),
        [["1", ""], ["2", "b"]],
    )


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([], 'sheet "people" is empty, a header row with the columns\' names was expected'),
        ([["to", None, "a"], [1, 2, 3]], 'sheet "people", header: column 2 has no name'),
        ([["to", "a", "to"]], "sheet \"people\", header: two columns are named 'to'"),
        ([["to"], [1, "stray"]], 'sheet "people", header: column 2 has no name'),
    ],
)
def test_a_sheet_without_a_proper_header_is_refused(save, rows, sentence):
    assert complaint(save(people=rows)) == sentence


@pytest.mark.parametrize("content", [b"", b"to,name\n", b"PK\3\4junk", b"\xd0\xcf\x11\xe0" + bytes(600)])
def test_what_is_no_spreadsheet_is_refused(tmp_path, content):
    path = tmp_path / "r.xlsx"
    path.write_bytes(content)
    assert complaint(path) == "no .xlsx file, or damaged, or protected by a password; save it anew or as CSV"


def test_a_file_that_is_not_there_is_refused(tmp_path):
    assert complaint(tmp_path / "r.xlsx") == "No such file or directory"


def test_a_damaged_spreadsheet_is_refused(save):
    path = save(people=[["to"], *[[n] for n in range(2000)]])
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    assert "damaged" in complaint(path)
    middle = whole.index(b"xl/worksheets/sheet1.xml") + 200
    path.write_bytes(whole[:middle] + bytes(50) + whole[middle + 50 :])
    assert "damaged" in complaint(path)


def test_a_zip_that_is_no_workbook_is_refused(tmp_path):
    path = tmp_path / "r.xlsx"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("a.txt", "a")
    assert complaint(path).startswith("no .xlsx file, or damaged (")


SHEET = "xl/worksheets/sheet1.xml"


def changed(path, change, place=SHEET):
    """Put another first sheet into a workbook, and there."""
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for each in old.infolist():
            content = change(old.read(each)) if each.filename == SHEET else old.read(each)
            if each.filename == "xl/_rels/workbook.xml.rels":
                content = content.replace(f"/{SHEET}".encode(), f"/{place}".encode())
            new.writestr(place if each.filename == SHEET else each.filename, content)
    return path


def added(path, part, content):
    with zipfile.ZipFile(path, "a") as packed:
        packed.writestr(part, content)


@pytest.mark.parametrize(
    ("row", "reach"),
    [
        (b'<row><c r="XFD1048576" t="n"><v>1</v></c></row>', "row 1,048,576 and column 16,384"),
        (b"<row><c s='1' r='xfd1048576'/></row>", "row 1,048,576 and column 16,384"),
        (b'<x:row r="1048576" xmlns:x="x"><x:c/><x:c r="XFD2"/></x:row>', "row 1,048,576 and column 16,384"),
        (b'<row r="1048576"><c a=">" b="&gt;" r="XFD1048576"/></row>', "row 1,048,576 and column 16,384"),
        (b'<row r="1048576"><c r="A1048576"/></row><row>' + b"<c/>" * 100 + b"</row>", "row 1,048,577 and column 100"),
        (b'<row r="1048576"><c r="CU1048576"/><c/></row>', "row 1,048,576 and column 100"),
    ],
)
@pytest.mark.parametrize("place", ["xl/worksheets/sheet1.xml", "xl/Worksheets/sheet1.XML", "xl/elsewhere/s.bin"])
def test_a_stray_cell_far_away_is_refused_before_the_table_is_made(save, row, reach, place):
    path = changed(
        save(people=[["to"], [1]]), lambda sheet: sheet.replace(b"</sheetData>", row + b"</sheetData>"), place=place
    )
    assert complaint(path) == f"a sheet reaches to {reach}, more than {MAX_CELLS:,} cells; save it as CSV"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<sheetData>", b"<sheetData><row r='99999999999'/>"),
        (b"<sheetData>", b"<sheetData><row><c r='AAAAAAA999999999'/></row>"),
        (b"<sheetData>", b"<sheetData a=1>"),
        (b"</worksheet>", b""),
        (b"<worksheet", b"<!DOCTYPE worksheet><worksheet"),
        (b"<worksheet", b"<worksheet a='" + b"a" * 5_000_000 + b"'"),
    ],
)
def test_a_sheet_that_can_not_be_followed_cell_by_cell_is_refused(save, old, new):
    path = changed(save(people=[["to"], [1]]), lambda sheet: sheet.replace(old, new))
    assert complaint(path) == "no .xlsx file, or damaged, or protected by a password; save it anew or as CSV"


def test_a_long_text_that_many_cells_share_is_refused_before_it_is_copied(save, monkeypatch):
    rows = b'<row><c t="s"><v>0</v></c></row>' * 10
    path = changed(save(people=[["to"]]), lambda sheet: sheet.replace(b"</sheetData>", rows + b"</sheetData>"))
    text = b"<sst><si><r><t>" + b"x" * 999 + b"</t></r><r><t>y</t></r></si><si><t>z</t></si></sst>"
    added(path, "xl/sharedStrings.xml", text)
    monkeypatch.setattr(sheet_size, "MAX_TEXT", 10 * 1000)
    assert rows_of(path)[1] == [["x" * 999 + "y"]] * 10
    monkeypatch.setattr(sheet_size, "MAX_TEXT", 10 * 1000 - 1)
    assert complaint(path) == "10 cells share texts of up to 1,000 characters; save it as CSV"


def test_shared_texts_that_are_no_xml_are_refused(save):
    path = save(people=[["to"], ["a"]])
    added(path, "xl/SharedStrings.xml", b"<sst><si><t>x</t></si></sst><")
    assert complaint(path).startswith("no .xlsx file, or damaged, or protected")


def test_pictures_and_other_parts_may_be_anything(save):
    path = save(people=[["to"], [1]])
    added(path, "xl/media/image1.png", bytes(range(256)) * 10_000)
    added(path, "xl/media/image2.svg", b"<!DOCTYPE svg><svg/>")
    added(path, "xl/drawings/vmlDrawing1.vml", b"<xml><br></xml>")
    assert rows_of(path) == (("to",), [["1"]])


@pytest.mark.parametrize(("number", "style"), [(-1e308, "yyyy-mm-dd"), (1e10, "[h]:mm:ss"), (-1e308, "[h]:mm:ss")])
def test_a_date_that_no_calendar_has_is_refused_with_its_row(save, number, style):
    path = save(people=[["to", "when"], [1, 2], [], [3, number]])
    workbook = openpyxl.load_workbook(path)
    workbook["people"]["B4"].number_format = style
    workbook.save(path)
    assert complaint(path) == 'sheet "people", row 4: a date or a time that no calendar has'


def test_what_is_no_number_at_all_is_empty(save):
    path = changed(save(people=[["to", "sum"], [1, 7]]), lambda sheet: sheet.replace(b"<v>7</v>", b"<v>1E400</v>"))
    assert rows_of(path) == (("to", "sum"), [["1", ""]])


@pytest.mark.parametrize("size", [1, 7, 1 << 20])
def test_cells_are_found_however_the_sheet_is_cut(save, monkeypatch, size):
    path = save(people=[["to"], [1]])
    monkeypatch.setattr(sheet_size, "_PIECE_BYTES", size)
    monkeypatch.setattr(sheet_size, "MAX_CELLS", 1)
    with pytest.raises(ConfigError, match="a sheet reaches to row 2 and column 1, more than 1 cells"):
        check_size(path)
    monkeypatch.setattr(sheet_size, "MAX_CELLS", 2)
    check_size(path)


def test_a_zip_bomb_is_refused_without_being_held(save, monkeypatch):
    path = changed(save(people=[["to"], [1]]), lambda sheet: sheet + b" " * 10_000_000)
    assert path.stat().st_size < 100_000
    monkeypatch.setattr(sheet_size, "MAX_SHEET_BYTES", 5 * 1024**2)
    assert complaint(path) == "xl/worksheets/sheet1.xml unpacks to more than 5 MB; save it as CSV"
