"""One account's way into Exotel's v1 API: where, and with what in the `Authorization` header."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import quote, urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """`origin` is scheme, host and port; `root` ends with the account's sid. `headers` and `secrets` show nowhere."""

    origin: str
    root: str
    headers: Mapping[str, str] = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)


def access(base_url: str, sid: str, api_key: str, api_token: str) -> Access:
    """Make it of an account's values, trusted: `base_url` has scheme and host and no credentials in it."""
    place = urlsplit(base_url)
    basic = b64encode(f"{api_key}:{api_token}".encode()).decode()
    return Access(
        origin=f"{place.scheme}://{place.netloc}",
        root=f"{base_url.rstrip('/')}/v1/Accounts/{quote(sid, safe='')}",
        headers=MappingProxyType({"Authorization": f"Basic {basic}", "Accept": "application/json"}),
        secrets=tuple(secret for secret in (basic, api_key, api_token) if secret),
    )
