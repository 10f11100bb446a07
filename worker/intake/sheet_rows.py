"""Rows from the first sheet of an .xlsx file: a header with the columns' names, then one recipient a row.

The library holds the sheet (about 32 bytes a cell, texts apart); rows become text one by one as they are asked for.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from math import isfinite
from pathlib import Path

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from worker.intake.rows import Block, checked_columns, refuse
from worker.intake.sheet_size import check_size

_Cell = int | float | str | bool | time | date | datetime | timedelta


def sheet_blocks(path: Path, opened: ExitStack, note: Callable[[str], None]) -> tuple[tuple[str, ...], Iterator[Block]]:
    """Read the header and return its columns, and all rows as one block; blank rows are passed over.

    A number becomes its digits, as many as Excel shows, a date 2026-11-22 and a time of a day 2026-11-22T10:00:00; an
    empty cell and an error of a formula become an empty text. Which sheet is read is told to `note` where there are
    several. `opened` closes the file. Raises `ConfigError`, also when reading on.
    """
    check_size(path)
    try:
        workbook = opened.enter_context(CalamineWorkbook.from_path(path))
        sheet = _first_sheet(workbook, str(path), note)
    except (CalamineError, OSError) as error:
        refuse(f"{path}: no .xlsx file, or damaged ({error}); save it anew or as CSV", error)
    rows = (row for row in map(_texts, _cells(sheet, str(path))) if any(row))
    header = next(rows, None)
    if header is None:
        refuse(f'{path}: sheet "{sheet.name}" is empty, a header row with the columns\' names was expected')
    columns = checked_columns(header, f'{path}, sheet "{sheet.name}", header')
    return columns, iter([Block(columns=columns, rows=(list[str | None](row) for row in rows))])


def _first_sheet(workbook: CalamineWorkbook, name: str, note: Callable[[str], None]) -> CalamineSheet:
    shown = [
        sheet.name
        for sheet in workbook.sheets_metadata
        if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible
    ]
    if not shown:
        refuse(f"{name}: there is no sheet in it")
    if len(shown) > 1:
        note(f'{name}: sheet "{shown[0]}" is read, the first of {len(shown)}')
    return workbook.get_sheet_by_name(shown[0])


def _cells(sheet: CalamineSheet, name: str) -> Iterator[list[_Cell]]:
    number = 1
    try:
        for cells in sheet.iter_rows():
            yield cells
            number += 1
    except BaseException as error:
        # The library panics at some odd dates, which is no `Exception` and has a class that can not be imported.
        if not isinstance(error, OverflowError) and type(error).__module__ != "pyo3_runtime":
            raise
        refuse(f'{name}, sheet "{sheet.name}", row {number}: a date or a time that no calendar has', error)


def _texts(cells: list[_Cell]) -> list[str]:
    return [cell if cell.__class__ is str else _as_text(cell) for cell in cells]


def _as_text(cell: _Cell) -> str:
    """Write a cell as it will stand in a message."""
    match cell:
        case bool():
            return "true" if cell else "false"
        case float():
            return _digits(cell)
        case date() | time():
            return cell.isoformat()
        case _:
            return str(cell)


def _digits(number: float) -> str:
    """Write a number without an exponent; one with a fraction to 15 digits, as Excel does: further ones are noise."""
    if not isfinite(number):
        return ""
    return str(int(number)) if number.is_integer() else f"{Decimal(f'{number:.15g}'):f}"
