"""Lines of text from the bytes of a file, plain or gzipped, one at a time, each with the number that messages name."""

import gzip
import io
import itertools
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import IO, cast

from worker.intake.encodings import UTF_8_MARK, UTF_16_MARKS, UTF_32_MARKS, Guess, Utf16AsUtf8
from worker.intake.rows import refuse

MAX_LINE_BYTES = 256 * 1024
"""A longer line is no line of recipients but a file of another kind, and would have to be held in memory."""

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


def lines(file: IO[bytes], name: str, note: Callable[[str], None]) -> Iterator[str]:
    """Give the lines as text, each with its end, without a byte order mark.

    The encoding is found (UTF-8, UTF-16 with a byte order mark, else Windows-1252), and told to `note` unless it is
    UTF-8. Raises `ConfigError` with `name` and the line for what is no text, a damaged gzip file, an endless line.
    """
    number = 0
    guess = Guess(name, note)
    try:
        file, first = _without_mark(file, name, guess, note)
        for line in itertools.chain(first, iter(partial(file.readline, MAX_LINE_BYTES), b"")):
            number += 1
            if len(line) == MAX_LINE_BYTES:
                refuse(f"{name}, line {number}: the line is longer than {MAX_LINE_BYTES:,} bytes")
            if b"\0" in line:
                refuse(f"{name}, line {number}: a NUL character, so this is no text in UTF-8")
            yield line.decode() if line.isascii() else guess.text(line, number)
    except UnicodeDecodeError as error:
        refuse(f"{name}, after line {number}: not UTF-16, though it begins with its byte order mark", error)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        refuse(f"{name}, after line {number}: the gzip file is damaged, or is none", error)
    except OSError as error:
        refuse(f"{name}, after line {number}: {error.strerror or error}", error)


def _without_mark(
    file: IO[bytes], name: str, guess: Guess, note: Callable[[str], None]
) -> tuple[IO[bytes], tuple[bytes, ...]]:
    """Return where the lines come from, and the first of them if it was read to look for a byte order mark."""
    first = file.readline(MAX_LINE_BYTES)
    if first.startswith(UTF_32_MARKS):
        refuse(f"{name}: the text is UTF-32; save the file as UTF-8")
    if first.startswith(UTF_16_MARKS):
        note(f"{name}: read as UTF-16, as its byte order mark says")
        return cast("IO[bytes]", io.BufferedReader(Utf16AsUtf8(first, file), _BUFFER_BYTES)), ()
    if first.startswith(UTF_8_MARK):
        guess.is_utf8()
    line = first.removeprefix(UTF_8_MARK) if len(first) < MAX_LINE_BYTES else first
    return file, (line,) if line else ()
