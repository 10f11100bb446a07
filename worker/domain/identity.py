"""Whether the number that a gateway echoes is the number that was sent.

Gateways give numbers back in their own spelling: Exotel's bulk answers and reports say `0XXXXXXXXXX` for what was
sent as `+91XXXXXXXXXX`. A wrong "yes" would give one person another's outcome, so every doubt is a "no".
"""

_INDIA = "91"
_NATIONAL_DIGITS = 10
_INDIAN_DIGITS = len(_INDIA) + _NATIONAL_DIGITS
_SEPARATORS = str.maketrans("", "", " -.()")


def same_number(echo: str, sent: int) -> bool:
    """Tell whether `echo`, as a gateway spells it, names `sent` (the E.164 number's digits).

    `+…` and `00…` carry a country code and are compared whole, and so are bare digits. Ten digits, with a trunk `0`
    or bare, are a national number and name `sent` only where that is an Indian one. Anything else is no number.
    """
    whole = str(sent)
    # The two spellings of nearly every answer, without the work for the rest.
    if echo == f"+{whole}" or (len(whole) == _INDIAN_DIGITS and whole.startswith(_INDIA) and echo == f"0{whole[2:]}"):
        return True
    digits = echo.translate(_SEPARATORS)
    international = digits.startswith(("+", "00"))
    digits = digits.removeprefix("+") if digits.startswith("+") else digits.removeprefix("00")
    if not international:
        digits = digits.removeprefix("0")
    if not (digits.isascii() and digits.isdigit()):
        return False
    if digits == whole:
        return True
    return not international and len(digits) == _NATIONAL_DIGITS and whole == _INDIA + digits
