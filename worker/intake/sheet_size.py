"""Looks how much a spreadsheet would take in memory, before the library unpacks it whole.

A sheet is held as a full table as wide as its widest row: one value in the last cell makes seventeen thousand million
of it. So each part of the packed file is read once as a stream, wherever it lies and whatever its name, and the file is
refused where it would not fit. Rows and cells are placed exactly as the library places them.
"""

import re
import zipfile
import zlib
from functools import cache
from pathlib import Path
from typing import IO
from xml.parsers import expat

from worker.intake.rows import refuse

MAX_CELLS = 20_000_000
"""About 650 MB at 32 bytes a cell: 1,048,576 rows of 19 columns."""

MAX_SHEET_BYTES = 2 * 1024**3
"""What a sheet may have unpacked."""

MAX_OTHER_BYTES = 256 * 1024**2
"""What any other part may have, the texts of the cells for one."""

MAX_TEXT = 4 * 1024**3
"""Cells that point to a shared text times the characters of the longest one: the library copies it into each."""

_PIECE_BYTES = 1 << 20
_LONGEST_TAG_BYTES = 1 << 20
_SHEET_MARK = b"sheetData"
_TEXTS = "xl/sharedstrings.xml"
_CELL = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})", re.ASCII)
_ROW = re.compile(r"[0-9]{1,7}", re.ASCII)
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


def check_size(path: Path) -> None:
    """Raise `ConfigError` for what is no .xlsx file, is damaged, or is too large to be read."""
    name = str(path)
    try:
        with zipfile.ZipFile(path) as packed:
            pointing = longest = 0
            for part in packed.infolist():
                with packed.open(part) as unpacked:
                    reach = _check_part(unpacked, part.filename, name)
                pointing, longest = pointing + reach.pointing, max(longest, reach.longest)
        if pointing * longest > MAX_TEXT:
            refuse(f"{name}: {pointing:,} cells share texts of up to {longest:,} characters; save it as CSV")
    except _DAMAGED as error:
        refuse(f"{name}: no .xlsx file, or damaged, or protected by a password; save it anew or as CSV", error)
    except OSError as error:
        refuse(f"{name}: {error.strerror or error}", error)


def _check_part(unpacked: IO[bytes], part: str, name: str) -> "_Reach":
    """Read a part piece by piece; what it says of its own size is not believed."""
    reach, is_xml, is_sheet, total, end = _Reach(), True, False, 0, b""
    is_of_texts = part.lower() == _TEXTS
    while True:
        piece = unpacked.read(_PIECE_BYTES)
        total += len(piece)
        # The library finds cells after this name only, and nowhere in what has it not, as a picture.
        is_sheet = is_sheet or _SHEET_MARK in end + piece
        end = (end + piece)[-len(_SHEET_MARK) :]
        most_bytes = MAX_SHEET_BYTES if is_sheet else MAX_OTHER_BYTES
        if total > most_bytes:
            refuse(f"{name}: {part} unpacks to more than {most_bytes // 1024**2:,} MB; save it as CSV")
        is_xml = is_xml and reach.read(piece)
        if (is_sheet or is_of_texts) and not is_xml:
            raise zipfile.BadZipFile("no XML, of which the library may read something all the same")
        if reach.rows * reach.columns > MAX_CELLS:
            refuse(
                f"{name}: a sheet reaches to row {reach.rows:,} and column {reach.columns:,}, "
                f"more than {MAX_CELLS:,} cells; save it as CSV"
            )
        if not piece:
            return reach


class _NoSheet(Exception):
    """The XML has what no sheet has."""


class _Reach:
    """The highest row and column of a part's cells, of which those without a place follow the one before.

    `pointing` counts the cells that point to a shared text, and `longest` is the length of the longest one of the part.
    """

    def __init__(self) -> None:
        self.rows = self.columns = self.pointing = self.longest = 0
        self._row = self._column = self._length = self._read_bytes = 0
        # As the library does: tags are read as UTF-8, whatever the part says.
        self._parser = expat.ParserCreate("utf-8")
        self._parser.StartDoctypeDeclHandler = _refuse_document_type
        self._parser.StartElementHandler = self._start

    def read(self, piece: bytes) -> bool:
        """Read on, at the end with nothing; return whether it can still be a sheet."""
        try:
            self._parser.Parse(piece, not piece)
        except (expat.ExpatError, _NoSheet):
            return False
        self._read_bytes += len(piece)
        return self._read_bytes - self._parser.CurrentByteIndex <= _LONGEST_TAG_BYTES

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "c" or name.endswith(":c"):
            row, self._column = self._place(attributes.get("r"))
            self.rows, self.columns = max(self.rows, row), max(self.columns, self._column)
            self.pointing += attributes.get("t") == "s"
        elif name == "row" or name.endswith(":row"):
            number = attributes.get("r")
            if number is not None and _ROW.fullmatch(number) is None:
                raise _NoSheet
            self._row, self._column = self._row + 1 if number is None else int(number), 0

        elif name == "si" or name.endswith(":si"):
            self._length = 0
            self._parser.CharacterDataHandler = self._add

    def _add(self, text: str) -> None:
        self._length += len(text)
        self.longest = max(self.longest, self._length)

    def _place(self, cell: str | None) -> tuple[int, int]:
        if cell is None:
            return max(self._row, 1), self._column + 1
        match = _CELL.fullmatch(cell)
        if match is None:
            raise _NoSheet
        return int(match[2]), _number(match[1])


def _refuse_document_type(*_declared: object) -> None:
    """Entities are declared in one, and their texts can unfold without end."""
    raise _NoSheet


@cache
def _number(column: str) -> int:
    """Return a column's number: A is 1, XFD 16,384."""
    number = 0
    for letter in column.upper():
        number = number * 26 + ord(letter) - 64
    return number
