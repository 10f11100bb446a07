"""One account's way into Exotel's v1 API: where, and with what in the `Authorization` header."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from worker.gateways.basic_access import basic_access
from worker.gateways.discretion import Discretion


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """`origin` is scheme, host and port; `root` ends with the account's sid. `headers` show nowhere."""

    origin: str
    root: str
    headers: Mapping[str, str] = field(repr=False)
    discretion: Discretion = field(repr=False)


def access(base_url: str, sid: str, api_key: str, api_token: str) -> Access:
    """Make it of an account's values, trusted: `base_url` has scheme and host and no credentials in it."""
    basic = basic_access(base_url, api_key, api_token, "application/x-www-form-urlencoded")
    return Access(
        origin=basic.origin,
        root=f"{base_url.rstrip('/')}/v1/Accounts/{quote(sid, safe='')}",
        headers=basic.headers,
        discretion=basic.discretion,
    )
