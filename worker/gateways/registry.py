"""Which adapter serves an account: one line a gateway."""

from config.account_models import (
    Account,
    ExotelSmsAccount,
    ExotelWhatsAppAccount,
    SkycoreSmsAccount,
    XtendSmsAccount,
    XtendWhatsAppAccount,
)
from config.credentials import Credentials
from config.errors import ConfigError
from worker.gateways.exotel_sms import ExotelSms
from worker.gateways.protocol import Gateway


def build(account: Account, credentials: Credentials) -> Gateway:
    """Make the adapter for an account of the accounts file, with its credentials resolved."""
    secret = credentials
    match account:
        case ExotelSmsAccount():
            return ExotelSms(account.host_url, account.sid, secret["api_key"], secret["api_token"], account.retry_503)
        case ExotelWhatsAppAccount() | XtendSmsAccount() | XtendWhatsAppAccount() | SkycoreSmsAccount():
            raise ConfigError(f"account {account.name}: {account.gateway} is not yet supported")
