"""How many SMS a text is billed as: counted for every recipient, so that a campaign's price is known beforehand.

A text is written in the GSM 7-bit alphabet where all its characters are in it, else in UCS-2 as a whole: one character
outside, a rupee sign or a letter of Devanagari, more than halves what fits.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = "\f^{}\\[~]|€"

ALPHABET = _BASIC + _EXTENSION
"""Every character of the GSM 7-bit alphabet and its extension table."""

_GSM_ALONE = re.compile(f"[{re.escape(ALPHABET)}]*").fullmatch
_EXTENDED = re.compile(f"[{re.escape(_EXTENSION)}]").findall
_ASCII_BASIC = "".join(filter(str.isascii, _BASIC)).encode()
_ASCII_EXTENSION = "".join(filter(str.isascii, _EXTENSION)).encode()
_ESCAPE = "\x1b"

_GSM_ONE, _GSM_EACH = 160, 153
_UCS2_ONE, _UCS2_EACH = 70, 67
_FIT_ANYHOW = _UCS2_ONE // 2  # so many characters are one segment, even if each takes two units
_FIRST_OF_PAIR = 0xD8  # how the high byte of a pair's first unit begins, in its upper six bits


@dataclass(frozen=True, slots=True, kw_only=True)
class Segments:
    """What a text takes: `count` parts that are billed one by one, and `units` in all (septets, or UTF-16 units)."""

    count: int
    alphabet: Literal["gsm7", "ucs2"]
    units: int


def is_gsm(text: str) -> bool:
    """Tell whether the text can be written in the GSM 7-bit alphabet and its extension table (3GPP TS 23.038, 6.2.1).

    Its escape (U+001B) is no character of it: it announces one of the extension.
    """
    return _GSM_ALONE(text) is not None


def segments(text: str) -> Segments:
    """Count the segments of a body; an empty one is a segment too.

    One holds 160 septets or 70 UTF-16 units; of several each holds 153 or 67, for the header that joins them takes six
    bytes (3GPP TS 23.040, 9.2.3.24.1). A character of the extension takes two septets, one beyond U+FFFF two units,
    and neither is divided between two segments, which may leave one unit of a segment empty.
    """
    if text.isascii():  # nearly all are; this asks four times as fast as the pattern
        rest = text.encode().translate(None, _ASCII_BASIC)
        if not rest:
            return _gsm_unbroken(len(text))
        if not rest.translate(None, _ASCII_EXTENSION):
            return _gsm_with(rest.decode(), text)
    elif is_gsm(text):
        return _gsm_with(_EXTENDED(text), text)
    units_le = text.encode("utf-16-le", "surrogatepass")
    return Segments(count=_ucs2_count(units_le), alphabet="ucs2", units=len(units_le) // 2)


def are_plain(texts: Sequence[str]) -> bool:
    """Tell whether all are of characters that ASCII and the GSM alphabet have in common, each of one septet."""
    joined = "".join(texts)
    return joined.isascii() and not joined.encode().translate(None, _ASCII_BASIC)


def total_segments(texts: Sequence[str]) -> int:
    """Count the segments of many bodies together: as the sum over each, in a tenth of the time where that is easy."""
    longest = max(map(len, texts), default=0)
    if longest <= _FIT_ANYHOW or (longest <= _GSM_ONE and are_plain(texts)):
        return len(texts)
    if texts.count(texts[0]) == len(texts):
        return len(texts) * segments(texts[0]).count
    if are_plain(texts):
        return sum(_gsm_unbroken(len(text)).count for text in texts)
    units_le = "".join(texts).encode("utf-16-le", "surrogatepass")
    if len(units_le) != 2 * sum(map(len, texts)):  # one has a pair
        return sum(segments(text).count for text in texts)
    if longest <= _UCS2_ONE:
        return len(texts)
    return sum(segments(text).count if is_gsm(text) else _ucs2_unbroken(len(text)) for text in texts)


@lru_cache(maxsize=4096)
def _gsm_unbroken(septets: int) -> Segments:
    """Count a text that may be divided anywhere."""
    return Segments(count=1 if septets <= _GSM_ONE else -(-septets // _GSM_EACH), alphabet="gsm7", units=septets)


@lru_cache(maxsize=4096)
def _ucs2_unbroken(units: int) -> int:
    """Count a text outside the GSM alphabet that may be divided anywhere."""
    return 1 if units <= _UCS2_ONE else -(-units // _UCS2_EACH)


def _gsm_with(extended: Sequence[str], text: str) -> Segments:
    """Count a text with these characters of the extension."""
    units = len(text) + len(extended)
    if not extended or units <= _GSM_ONE:
        return _gsm_unbroken(units)
    for character in set(extended):
        text = text.replace(character, _ESCAPE + character)
    count = start = 0
    while start < units:
        start += _GSM_EACH
        count += 1
        if text[start - 1 : start] == _ESCAPE:
            start -= 1
    return Segments(count=count, alphabet="gsm7", units=units)


def _ucs2_count(units_le: bytes) -> int:
    if len(units_le) <= 2 * _UCS2_ONE:
        return 1
    count = start = 0
    while start < len(units_le):
        start += 2 * _UCS2_EACH
        count += 1
        if start < len(units_le) and units_le[start - 1] & 0xFC == _FIRST_OF_PAIR:
            start -= 2
    return count
