"""Phone numbers as people write them, read into one form so that the same person is found again.

The judge is the `phonenumbers` library. Indian mobiles, nearly all of our input, take a shortcut that is built from
the library's own pattern for them and gives the same answer twenty times as fast. Anything that could be read as more
than a number (letters, an extension, two numbers in one field) is refused: a guess would message a stranger.
"""

import re
from dataclasses import dataclass

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, ValidationResult

_INDIA = 91
_INDIA_E164 = _INDIA * 10**10
_LONGEST_TEXT = 250  # the library reads no more

# Blanks, invisible marks that spreadsheets leave, dashes, brackets and dots; one plus, before the first digit.
_MARKS = r"\s\u00ad\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff()\[\].\-\u2010-\u2015\u2212"
_NUMBER_ALONE = re.compile(rf"[{_MARKS}]*[+\uff0b]?[\d{_MARKS}]*")
_DECIMAL = re.compile(r"\s*\d+\.0+\s*")  # a number that a spreadsheet or JSON made a float of

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
        if not text or text.isspace():
            return BadNumber(reason="no number")
        if len(text) > _LONGEST_TEXT:
            return BadNumber(reason="too long")
        if _NUMBER_ALONE.fullmatch(text) is None or _DECIMAL.fullmatch(text):
            return BadNumber(reason="not a phone number")
        try:
            number = phonenumbers.parse(text, self._default_country)
        except NumberParseException as error:
            return BadNumber(reason=_PARSE_REASONS.get(error.error_type, "not a phone number"))
        if not phonenumbers.is_valid_number(number):
            return BadNumber(reason=_reason(number))
        return int(f"{number.country_code}{phonenumbers.national_significant_number(number)}")


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
