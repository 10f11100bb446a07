"""How Exotel's APIs are reached: one origin, and the account's key and token in the `Authorization` header only."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from urllib.parse import urlsplit

from worker.gateways.discretion import Discretion


@dataclass(frozen=True, slots=True)
class BasicAccess:
    """Origin and headers of every call of one account, and what keeps its secrets out of reasons."""

    origin: str
    headers: Mapping[str, str] = field(repr=False)
    discretion: Discretion = field(repr=False)


def basic_access(base_url: str, api_key: str, api_token: str, content_type: str) -> BasicAccess:
    """Make the access from an account's values, trusted: `base_url` has scheme and host and no credentials in it."""
    place = urlsplit(base_url)
    basic = b64encode(f"{api_key}:{api_token}".encode()).decode()
    headers = {"Authorization": f"Basic {basic}", "Content-Type": content_type, "Accept": "application/json"}
    return BasicAccess(
        f"{place.scheme}://{place.netloc}", MappingProxyType(headers), Discretion(basic, api_key, api_token)
    )
