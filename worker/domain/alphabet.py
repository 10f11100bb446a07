"""The alphabet in which a text travels as seven bits a character: GSM 03.38 (3GPP TS 23.038, section 6.2.1).

One character outside it makes the whole text UCS-2, which gateways that do not find out themselves must be told.
"""

from typing import Final

GSM_BASIC: Final = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The characters of one septet; the escape is none, because it is half of another."""

GSM_EXTENSION: Final = frozenset("\f^{}\\[~]|€")
"""The characters of two septets: an escape and one more."""

_GSM = GSM_BASIC | GSM_EXTENSION


def is_gsm(text: str) -> bool:
    """Tell whether the whole text can be written in the GSM alphabet; "₹", "`" and "…" can not."""
    return _GSM.issuperset(text)
