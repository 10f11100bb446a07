"""Lines of text from the bytes of a file, plain or gzipped, one at a time, each with the number that messages name."""

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import IO, cast

from worker.intake.rows import refuse

MAX_LINE_BYTES = 256 * 1024
"""A longer line is no line of recipients but a file of another kind, and would have to be held in memory."""

_BOM = b"\xef\xbb\xbf"
_BUFFER_BYTES = 1 << 16


def open_binary(path: Path, held: ExitStack) -> IO[bytes]:
    """Open a file to read its bytes, unzipped where its name ends in .gz; `held` closes it. Raises `ConfigError`."""
    try:
        file = held.enter_context(path.open("rb"))
    except OSError as error:
        refuse(f"{path}: {error.strerror}", error)
    if path.suffix.lower() != ".gz":
        return file
    unzipped = cast("io.RawIOBase", held.enter_context(gzip.GzipFile(fileobj=file)))
    return held.enter_context(io.BufferedReader(unzipped, _BUFFER_BYTES))


def lines(file: IO[bytes], name: str) -> Iterator[str]:
    """Give the lines as text, each with its end, without a byte order mark.

    Raises `ConfigError` with `name` and the line for what is not text in UTF-8, a damaged gzip file, an endless line.
    """
    number = 0
    try:
        for line in iter(partial(file.readline, MAX_LINE_BYTES), b""):
            number += 1
            if len(line) == MAX_LINE_BYTES:
                refuse(f"{name}, line {number}: the line is longer than {MAX_LINE_BYTES:,} bytes")
            if b"\0" in line:
                refuse(f"{name}, line {number}: a NUL character, so this is no text in UTF-8")
            yield (line if number > 1 else line.removeprefix(_BOM)).decode()
    except UnicodeDecodeError as error:
        refuse(f"{name}, line {number}: byte {error.start + 1} of the line is not UTF-8", error)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        refuse(f"{name}, after line {number}: the gzip file is damaged, or is none", error)
    except OSError as error:
        refuse(f"{name}, after line {number}: {error.strerror or error}", error)
