"""Phone numbers as people write them, read into one form so that the same person is found again.

The judge is the `phonenumbers` library. Indian mobiles, nearly all of our input, take a shortcut that is built from
the library's own pattern for them and gives the same answer twenty times as fast. Anything that could be read as more
than a number (letters, an extension, two numbers in one field) is refused: a guess would message a stranger. So is a
number of which a spreadsheet has cut digits off; one that it only wrote otherwise is repaired.
"""

import re
from dataclasses import dataclass
from unicodedata import decimal

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, ValidationResult

_INDIA = 91
_INDIA_E164 = _INDIA * 10**10
_LONGEST_TEXT = 250  # the library reads no more

# Blanks, invisible marks that spreadsheets leave, dashes, brackets and dots; one plus, before the first digit.
_MARKS = r"\s\u00ad\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff()\[\].\-\u2010-\u2015\u2212"
_NUMBER_ALONE = re.compile(rf"[{_MARKS}]*[+\uff0b]?[\d{_MARKS}]*")

# What spreadsheets make of numbers. A quote before one keeps it as text; ="…" does so in a CSV.
_KEPT_AS_TEXT = re.compile(r"""\s*(?:['\u2018\u2019](?P<quoted>[^'"]*)|="(?P<formula>[^"]*)")\s*""")
# A float has no plus and ends in .0, or .00 where it is shown as money; three zeros may be a group of a number's own.
_FLOAT = re.compile(r"\s*([0-9]+)\.0{1,2}\s*")
_ENDS_LIKE_A_FLOAT = re.compile(r"\s*[0-9]+\.0+\s*")
_SCIENTIFIC = re.compile(r"\s*(?P<whole>[0-9]+)(?:[.,](?P<part>[0-9]+))?[eE]\+?(?P<exponent>[0-9]{1,2})\s*")
_CUT_OFF = "a spreadsheet has cut digits off; format the column as text before it is exported"

_PARSE_REASONS = {
    NumberParseException.INVALID_COUNTRY_CODE: "unknown country code",
    NumberParseException.NOT_A_NUMBER: "not a phone number",
    NumberParseException.TOO_SHORT_AFTER_IDD: "too short",
    NumberParseException.TOO_SHORT_NSN: "too short",
    NumberParseException.TOO_LONG: "too long",
}
_LENGTH_REASONS = {ValidationResult.TOO_SHORT: "too short for", ValidationResult.TOO_LONG: "too long for"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BadNumber:
    """What stood there is no number that can be messaged; `reason` says why and never repeats it."""

    reason: str


class Normaliser:
    """Reads numbers for one campaign; `default_country` (ISO, "IN") is meant where no country code is written."""

    def __init__(self, default_country: str) -> None:
        """Take an ISO region that `phonenumbers` knows."""
        self._default_country = default_country
        prefix = r"(?:\+?91|0)?" if default_country == "IN" else r"\+91"
        self._match_indian = re.compile(f"{prefix}({_indian_pattern()})", re.ASCII).fullmatch

    def canonical(self, text: str) -> int | BadNumber:
        """Return the E.164 digits as an integer (919000000001), or why there is none."""
        match = self._match_indian(text)
        if match is None:
            bare = text.replace(" ", "").replace("-", "").replace("(", "").replace(")", "")
            match = self._match_indian(bare)
            if match is None or len(text) > _LONGEST_TEXT:
                return self._ask_library(text)
        return _INDIA_E164 + int(match[1])

    def _ask_library(self, text: str) -> int | BadNumber:
        written = _number_in(text)
        if isinstance(written, BadNumber):
            return written
        try:
            number = phonenumbers.parse(written, self._default_country)
        except NumberParseException as error:
            return BadNumber(reason=_PARSE_REASONS.get(error.error_type, "not a phone number"))
        if not phonenumbers.is_valid_number(number):
            return BadNumber(reason=_reason(number))
        return int(f"{number.country_code}{phonenumbers.national_significant_number(number)}")


def _number_in(text: str) -> str | BadNumber:
    """Return a text that is a number and nothing more, as the library is to read it."""
    if len(text) > _LONGEST_TEXT:
        return BadNumber(reason="too long" if text.strip() else "no number")
    if kept := _KEPT_AS_TEXT.fullmatch(text):
        text = kept["quoted"] if kept["formula"] is None else kept["formula"]
    if not text or text.isspace():
        return BadNumber(reason="no number")
    if not text.isascii():
        text = "".join(str(decimal(each, each)) for each in text)
    if spoiled := _SCIENTIFIC.fullmatch(text):
        return _whole(spoiled["whole"], spoiled["part"] or "", int(spoiled["exponent"]))
    if spoiled := _FLOAT.fullmatch(text):
        return spoiled[1]
    if _NUMBER_ALONE.fullmatch(text) is None or _ENDS_LIKE_A_FLOAT.fullmatch(text):
        return BadNumber(reason="not a phone number")
    return text


def _whole(whole: str, part: str, exponent: int) -> str | BadNumber:
    """Undo scientific notation where it has every digit: 9.19000000001E+11 has its twelve, 9.19E+11 only three."""
    digits, length = whole + part, len(whole) + exponent
    if length > len(digits):
        return BadNumber(reason=_CUT_OFF)
    if digits[length:].strip("0"):
        return BadNumber(reason="not a phone number")
    return digits[:length]


def _indian_pattern() -> str:
    """The library's own pattern for ten digits that start like a mobile: what it matches is valid by definition.

    Landlines are among them, for some mobile series lie between those of landlines.
    """
    metadata = PhoneMetadata.metadata_for_region("IN")
    kinds = [metadata.mobile, metadata.fixed_line] if metadata is not None else []
    patterns = [kind.national_number_pattern for kind in kinds if kind is not None and kind.national_number_pattern]
    return f"(?=[6-9][0-9]{{9}}$)(?:{'|'.join(patterns)})" if patterns else "(?!)"


def _reason(number: phonenumbers.PhoneNumber) -> str:
    region = phonenumbers.region_code_for_country_code(number.country_code or 0)
    place = region if region.isalpha() else f"country code {number.country_code}"
    length = phonenumbers.is_possible_number_with_reason(number)
    return f"{_LENGTH_REASONS.get(length, 'not a valid number in')} {place}"
