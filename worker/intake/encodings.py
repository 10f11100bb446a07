"""Finds the encoding of a text as its lines are read: UTF-8 where it can be, else what its bytes allow.

The same bytes give the same text however they arrive, for an interrupted production reads them again. Only what
contradicts nothing that came before is taken: an input that is UTF-8 in one line and not in another is refused.
"""

import codecs
import io
from collections.abc import Callable
from typing import IO, TYPE_CHECKING

from worker.intake.rows import refuse

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

UTF_8_MARK = codecs.BOM_UTF8
UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
UTF_32_MARKS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
"""One of them begins like a mark of UTF-16: these are to be asked for first."""

_PIECE_BYTES = 1 << 16


class Guess:
    """Reads lines that are not ASCII as UTF-8, or as Windows-1252 once one can not be UTF-8 and none before was."""

    def __init__(self, name: str, note: Callable[[str], None]) -> None:
        """Take the input's name for messages, and what is to be told of a guess."""
        self._name = name
        self._note = note
        self._first_utf8 = 0
        self._first_other = 0

    def is_utf8(self) -> None:
        """Note that a byte order mark says so."""
        self._first_utf8 = 1

    def text(self, line: bytes, number: int) -> str:
        """Return the text of a line that is not ASCII; `ConfigError` if it can not be read like the others."""
        try:
            text = line.decode()
        except UnicodeDecodeError as error:
            return self._windows_text(line, number, error)
        if self._first_other:
            refuse(f"{self._name}: line {self._first_other} is not UTF-8 and line {number} is; save the file as UTF-8")
        self._first_utf8 = self._first_utf8 or number
        return text

    def _windows_text(self, line: bytes, number: int, error: UnicodeDecodeError) -> str:
        place = f"{self._name}, line {number}"
        if self._first_utf8:
            refuse(f"{place}: byte {error.start + 1} of the line is not UTF-8", error)
        try:
            text = line.decode("cp1252")
        except UnicodeDecodeError as unknown:
            refuse(f"{place}: byte {unknown.start + 1} of the line is neither UTF-8 nor Windows-1252", unknown)
        if not self._first_other:
            self._first_other = number
            self._note(
                f"{self._name}: read as Windows-1252, since line {number} is not UTF-8; "
                "this is a guess: if letters come out wrong, save the file as UTF-8"
            )
        return text


class Utf16AsUtf8(io.RawIOBase):
    """The bytes of a UTF-16 text with a byte order mark, as UTF-8; reading raises `UnicodeDecodeError`."""

    def __init__(self, start: bytes, rest: IO[bytes]) -> None:
        """Take the bytes that were read already, and where the others come from; closing leaves that open."""
        self._start = start
        self._rest = rest
        self._decoder = codecs.getincrementaldecoder("utf-16")()
        self._ready = b""
        self._is_at_end = False

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        """Fill the buffer as far as there is text at hand; 0 at the end."""
        while not self._ready and not self._is_at_end:
            piece = self._start or self._rest.read(_PIECE_BYTES)
            self._start = b""
            self._is_at_end = not piece
            self._ready = self._decoder.decode(piece, final=not piece).encode()
        target = memoryview(buffer)
        count = min(len(target), len(self._ready))
        target[:count] = self._ready[:count]
        self._ready = self._ready[count:]
        return count
