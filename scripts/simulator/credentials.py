"""Basic authentication, as both Exotel APIs ask for it."""

import base64
import binascii

from scripts.simulator import refusals
from scripts.simulator.refusals import Refusal


def refused_credentials(authorization: str, expected: str) -> Refusal | None:
    """What speaks against the header; `expected` is KEY:TOKEN.

    The code for "non alpha-numeric" is given to a pair that is wrong and looks so.
    """
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return refusals.NO_CREDENTIALS
    try:
        pair = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return refusals.MALFORMED_CREDENTIALS
    if pair == expected:
        return None
    return (
        refusals.WRONG_CREDENTIALS
        if pair.replace(":", "", 1).replace("-", "").replace("_", "").isalnum()
        else refusals.MALFORMED_CREDENTIALS
    )
