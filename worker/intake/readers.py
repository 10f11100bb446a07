"""Opens the recipients of a campaign, whatever they stand in: first step of production.

Files and standard input are read as a stream, never whole, but for a spreadsheet, whose size is checked first.
"""

import itertools
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from worker.intake.csv_rows import csv_blocks
from worker.intake.lines import lines, open_binary
from worker.intake.object_rows import jsonl_blocks, mapping_blocks
from worker.intake.rows import RowSource, refuse
from worker.intake.sheet_rows import sheet_blocks

_SUFFIXES = (".csv", ".csv.gz", ".jsonl", ".jsonl.gz", ".xlsx")


def open_rows(source: str | Path, *, stdin: IO[bytes] | None = None) -> RowSource:
    """Open a file by its suffix (.csv or .jsonl, also with .gz, or .xlsx), or standard input for "-".

    Standard input is JSON Lines if its first character that is not blank is a brace, else CSV. The encoding is found
    (`lines`). Raises `ConfigError` where the input can not be opened or its first line is wrong;
    reading on may raise it too.
    """
    if str(source) == "-":
        if stdin is None and sys.stdin is None:
            refuse("standard input: it is closed")
        return _open_standard_input(sys.stdin.buffer if stdin is None else stdin)
    path = Path(source)
    if "\0" in str(path):
        refuse(f"{str(path)!r}: no name of a file has a NUL character")
    name = path.name.lower()
    if not name.endswith(_SUFFIXES):
        refuse(f"{path}: recipients are read from {', '.join(_SUFFIXES)} or - (standard input)")
    with ExitStack() as opened:
        notes = list[str]()
        if name.endswith(".xlsx"):
            columns, blocks = sheet_blocks(path, opened, notes.append)
            return RowSource(name=str(path), columns=columns, blocks=blocks, notes=notes, close=opened.pop_all().close)
        text = lines(open_binary(path, opened), str(path), notes.append)
        return _source(text, str(path), notes, opened, is_jsonl=name.endswith(_SUFFIXES[2:4]))


def rows_from(recipients: Iterable[Mapping[str, object]]) -> RowSource:
    """Read rows from Python: mappings of column to value, which may differ in their columns.

    `ConfigError` is raised when a row is reached that is no mapping with text as keys.
    """
    return RowSource(name="recipients", columns=None, blocks=mapping_blocks(recipients, "recipients"))


def _open_standard_input(stdin: IO[bytes]) -> RowSource:
    name = "standard input"
    notes = list[str]()
    text = lines(stdin, name, notes.append)
    start: list[str] = []
    for line in text:
        start.append(line)
        if line.strip():
            break
    is_jsonl = bool(start) and start[-1].lstrip().startswith("{")
    return _source(itertools.chain(start, text), name, notes, ExitStack(), is_jsonl=is_jsonl)


def _source(text: Iterator[str], name: str, notes: list[str], opened: ExitStack, *, is_jsonl: bool) -> RowSource:
    """Read the first line; what is `opened` is handed over to the source, and stays with the caller in an error."""
    columns, blocks = (None, jsonl_blocks(text, name)) if is_jsonl else csv_blocks(text, name, notes.append)
    return RowSource(name=name, columns=columns, blocks=blocks, notes=notes, close=opened.pop_all().close)
