"""Looks how much a spreadsheet would take in memory, before the library unpacks it whole.

A sheet is held as a full table as wide as its widest row: one value in the last cell makes seventeen thousand million
of it. So the packed file is read once as a stream, and refused where it would not fit.
"""

import re
import zipfile
import zlib
from collections import deque
from collections.abc import Generator, Iterable
from contextlib import closing
from pathlib import Path

from worker.intake.rows import MAX_COLUMNS, refuse

MAX_CELLS = 20_000_000
"""About 650 MB at 32 bytes a cell: 1,048,576 rows of 19 columns."""

MAX_SHEET_BYTES = 2 * 1024**3
"""What a sheet may have unpacked."""

MAX_OTHER_BYTES = 256 * 1024**2
"""What any other part may have, the texts of the cells for one."""

_PIECE_BYTES = 1 << 20
_LONGEST_TAG_BYTES = 1 << 16
_CELL = re.compile(rb"<(?:\w+:)?c(?=[\s/>])(?:[^<>]*?\sr=[\"']([A-Za-z]{1,7})([0-9]{1,18})[\"'])?")
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


def check_size(path: Path) -> None:
    """Raise `ConfigError` for what is no .xlsx file, is damaged, or is too large to be read."""
    name = str(path)
    try:
        with zipfile.ZipFile(path) as packed:
            for part in packed.infolist():
                is_sheet = part.filename.startswith("xl/worksheets/")
                most_bytes = MAX_SHEET_BYTES if is_sheet else MAX_OTHER_BYTES
                with closing(_unpacked(packed, part, name, most_bytes)) as pieces:
                    if is_sheet:
                        _check_sheet(pieces, name)
                    else:
                        deque(pieces, maxlen=0)
    except _DAMAGED as error:
        refuse(f"{name}: no .xlsx file, or damaged, or protected by a password; save it anew or as CSV", error)
    except OSError as error:
        refuse(f"{name}: {error.strerror or error}", error)


def _unpacked(packed: zipfile.ZipFile, part: zipfile.ZipInfo, name: str, most_bytes: int) -> Generator[bytes]:
    """Give a part piece by piece; what it says of its own size is not believed."""
    total = 0
    with packed.open(part) as unpacked:
        while piece := unpacked.read(_PIECE_BYTES):
            total += len(piece)
            if total > most_bytes:
                refuse(f"{name}: {part.filename} unpacks to more than {most_bytes // 1024**2:,} MB; save it as CSV")
            yield piece


def _check_sheet(pieces: Iterable[bytes], name: str) -> None:
    last_row = unplaced = 0
    columns = set[bytes]()
    rest = b""
    for piece in pieces:
        text = rest + piece
        start = text.rfind(b"<")
        end = len(text) if start < 0 or b">" in text[start:] else start  # a tag may be cut in two
        rest = text[end:]
        if len(rest) > _LONGEST_TAG_BYTES:
            raise zipfile.BadZipFile("a tag without an end")
        cells = _CELL.findall(text, 0, end)
        placed = [row for _, row in cells if row]
        unplaced += len(cells) - len(placed)
        columns.update(column for column, _ in cells)
        last_row = max(last_row, *map(int, placed)) if placed else last_row
        rows = last_row + unplaced
        # Cells that do not say where they stand could all stand in one row.
        width = max(0, min(unplaced, MAX_COLUMNS), *map(_number, columns))
        if rows * width > MAX_CELLS:
            refuse(
                f"{name}: a sheet reaches to row {rows:,} and column {width:,}, "
                f"more than {MAX_CELLS:,} cells; save it as CSV"
            )


def _number(column: bytes) -> int:
    """Return a column's number: A is 1, XFD 16,384; no name is 0."""
    number = 0
    for letter in column.upper():
        number = number * 26 + letter - 64
    return number
