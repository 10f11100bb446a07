"""The URL at which a gateway reports on one batch, and the token in it that only we can have written.

Gateways sign nothing (Exotel SMS reference, StatusCallback; Skycore, postbacks), so what makes a report credible is
that it comes to a URL nobody could guess. A token is good for its own account, campaign and batch alone; that of an
account, for gateways that know one URL only, is the one of campaign "" and batch 0, which no batch has.
"""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from hashlib import sha256

from worker.domain.ids import AccountName, CampaignId

WHOLE_ACCOUNT = (CampaignId(""), 0)
"""Campaign and batch of an account's own URL."""

_PURPOSE = "bulksend report"
"""In front of what is signed, so that a secret used for anything else would give other tokens."""


def sign(secret: str, account: AccountName, campaign: CampaignId, batch: int) -> str:
    """Return the token: HMAC-SHA256 in URL-safe base64 without padding, 43 characters."""
    # No name can have the byte in between, so that no two batches share what is signed.
    signed = "\0".join((_PURPOSE, account, campaign, str(batch)))
    digest = hmac.digest(secret.encode(), signed.encode(errors="replace"), sha256)
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def is_signed(token: str, secrets: Iterable[str], account: AccountName, campaign: CampaignId, batch: int) -> bool:
    """Tell whether one of the secrets made the token; the time it takes depends on how many there are alone."""
    given = token.encode(errors="replace")
    good = [hmac.compare_digest(given, sign(secret, account, campaign, batch).encode()) for secret in secrets]
    return any(good)


def callback_url(public_url: str, secret: str, account: AccountName, campaign: CampaignId, batch: int) -> str:
    """Return where a gateway reports on one batch; `public_url` has no slash at its end."""
    return f"{public_url}/reports/{account}/{campaign}/{batch}/{sign(secret, account, campaign, batch)}"


def account_url(public_url: str, secret: str, account: AccountName) -> str:
    """Return where a gateway that knows one URL for each account reports on all batches of it."""
    return f"{public_url}/reports/{account}/{sign(secret, account, *WHOLE_ACCOUNT)}"
