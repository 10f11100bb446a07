"""One model a gateway: what a table `[accounts.NAME]` may say, as the accounts file is parsed into it.

Secrets given as `env:NAME` stay names until a worker asks for them: `status` needs no credentials, and a worker
that lacks one account's can serve the others. A new gateway adds its model here and to `Account`.
"""

import hashlib
import re
from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from config.account_fields import (
    BaseUrl,
    EndpointUrl,
    Pattern,
    PlainId,
    RateField,
    Secret,
    SenderNumber,
    Sid,
    UserName,
)
from config.credentials import Credentials, for_header, resolved
from config.rate import Rate

_EXOTEL_HOSTS: Mapping[str, str] = {"mumbai": "https://api.in.exotel.com", "singapore": "https://api.exotel.com"}


class GatewayAccount(BaseModel):
    """What every account has, whatever its gateway."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    limited_by: ClassVar[str]
    """The field that names the account at its gateway, which limits by it."""
    in_body: ClassVar[frozenset[str]] = frozenset()
    """The secrets that go encoded in a body, and may hold any character; all others go in a header."""

    name: str
    gateway: str
    requests: RateField = Rate.parse("50/minute")
    """Ceiling on calls, all workers together."""
    messages: RateField | None = None
    """Ceiling on messages, an average; both ceilings hold at once."""
    concurrency: int = Field(default=8, ge=1, le=1000)
    """Calls on the wire at once, all workers together."""
    timeout: float = Field(default=30.0, gt=0, le=600, allow_inf_nan=False)
    """Seconds for one call, whole."""
    status_callbacks: bool = True
    """Whether the gateway is asked for delivery reports."""
    probe_every: float = Field(default=600.0, ge=10, le=86_400, allow_inf_nan=False)
    """Seconds between two looks at an account that is held, whether it may send again."""
    price_per_segment: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """What one billed part costs, in the operator's own currency; `None` where nobody said."""

    @property
    @abstractmethod
    def host_url(self) -> str:
        """Scheme and host of the gateway, without a slash at the end."""

    @property
    def identity(self) -> tuple[str, str, str]:
        """What the gateway limits: two accounts with the same one would double the limit. It shows no secret."""
        parts = urlsplit(self.host_url)
        port = f":{parts.port}" if parts.port not in {None, 80, 443} else ""
        value = getattr(self, self.limited_by)
        if isinstance(value, SecretStr):
            own = hashlib.sha256(value.get_secret_value().encode()).hexdigest()
        else:
            own = str(value).casefold()
        return self.gateway, f"{(parts.hostname or '').rstrip('.')}{port}", own

    def credentials(self, environ: Mapping[str, str]) -> Credentials:
        """Resolve every secret.

        `ConfigError` names account, field and variable where one is unset, made up, or nothing that a call can carry.
        """
        secrets = {field: value.get_secret_value() for field, value in self if isinstance(value, SecretStr)}
        found = dict[str, str]()
        for field, text in secrets.items():
            place = f"account {self.name}: {field}"
            secret = resolved(place, text, environ)
            found[field] = secret if field in self.in_body else for_header(place, secret)
        return Credentials(**found)

    @classmethod
    def from_table(cls, name: str, table: Mapping[str, object]) -> Self:
        """Build the account from its TOML table; pydantic's `ValidationError` where a key is wrong."""
        return cls.model_validate({**table, "name": name})


class _ChoosesOn503(GatewayAccount):
    retry_503: Literal["any", "documented"] = "any"
    """Whether a bare 503 counts as throttled (`any`), or only one that is certainly the gateway's (`documented`)."""


class _ExotelAccount(_ChoosesOn503):
    limited_by = "sid"

    region: Literal["mumbai", "singapore"] | None = None
    base_url: BaseUrl | None = None
    sid: Sid
    api_key: Secret
    api_token: Secret

    @property
    def host_url(self) -> str:
        """`base_url`, else the region's (mumbai)."""
        return self.base_url or _EXOTEL_HOSTS[self.region or "mumbai"]


class ExotelSmsAccount(_ExotelAccount):
    """One account at Exotel's bulk SMS API: `gateway = "exotel-sms"`."""

    gateway: Literal["exotel-sms"]


class ExotelWhatsAppAccount(_ExotelAccount):
    """One account at Exotel's WhatsApp API: `gateway = "exotel-whatsapp"`."""

    gateway: Literal["exotel-whatsapp"]


class XtendSmsAccount(_ChoosesOn503):
    r"""One account at Xtend's SMS API: `gateway = "xtend-sms"`.

    `base_url` is scheme and host; where it has no path, the documented `/blank/sms/user/urlsms.php` is appended.
    What the answer looks like is not documented, so three patterns recognise it, in this order; of each, the first
    group that matches counts, and an answer that matches none leaves the message unconfirmed:

    - `answer_error`: the code of an error, as in the document's table;
    - `answer_text`: the words of a refusal that has no code, of which the table's descriptions stand for their code;
    - `answer_id`: the id of a message that was taken.

    The defaults follow servers of the same make, which answer with a bare id; a bare number of three digits is taken
    for neither, because it could be a code as well as an id.
    """

    limited_by = "username"
    in_body = frozenset({"password"})

    gateway: Literal["xtend-sms"]
    base_url: BaseUrl = "http://smsapi.xtendonline.com"
    username: UserName
    password: Secret
    dlt_header_id: PlainId
    answer_error: Pattern = re.compile(
        r"""(?i)\berr(?:or)?(?:[ _-]?(?:code|no))?["']?"""
        r"""\s*(?:[:=#]|(?<!\s)-|-(?!\d))?\s*["']?([0-9]{1,4}|[0-9]{2}[A-F])\b"""
    )
    answer_text: Pattern = re.compile(
        r"(?i)\A\s*((?:error|invalid|insufficient|unauthori[sz]ed|failed|failure|blocked|rejected)\b[^<>\r\n]*)"
    )
    answer_id: Pattern = re.compile(r"\A\s*((?=[A-Za-z_.-]*[0-9])[A-Za-z0-9_.-]{6,64})\s*\Z")

    @property
    def host_url(self) -> str:
        """`base_url`, with its path where it has one."""
        return self.base_url


class XtendWhatsAppAccount(GatewayAccount):
    """One number at Xtend's WhatsApp API: `gateway = "xtend-whatsapp"`."""

    limited_by = "phone_number_id"

    gateway: Literal["xtend-whatsapp"]
    base_url: BaseUrl = "https://waba.xtendonline.com"
    phone_number_id: PlainId
    api_key: Secret

    @property
    def host_url(self) -> str:
        """`base_url`, with its path where it has one."""
        return self.base_url


class SkycoreSmsAccount(_ChoosesOn503):
    """One account at Skycore's SMS API: `gateway = "skycore-sms"`. `base_url` is the whole endpoint URL.

    `sender_number` is what sends where a campaign's `from` is a name: short code, toll-free or long number.
    """

    limited_by = "api_key"

    gateway: Literal["skycore-sms"]
    base_url: EndpointUrl
    api_key: Secret
    sender_number: SenderNumber = ""

    @property
    def host_url(self) -> str:
        """Scheme and host of the endpoint."""
        parts = urlsplit(self.base_url)
        return f"{parts.scheme}://{parts.netloc}"


Account = ExotelSmsAccount | ExotelWhatsAppAccount | XtendSmsAccount | XtendWhatsAppAccount | SkycoreSmsAccount
"""An account at any gateway, told apart by `gateway`."""
