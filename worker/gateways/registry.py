"""Which adapter serves an account: one line a gateway."""

from config.accounts import Account, Credentials, ExotelSmsAccount
from worker.gateways.exotel_sms import ExotelSms
from worker.gateways.protocol import Gateway


def build(account: Account, credentials: Credentials) -> Gateway:
    """Make the adapter for an account of the accounts file, with its credentials resolved."""
    key, token = credentials.api_key, credentials.api_token
    match account:
        case ExotelSmsAccount():
            return ExotelSms(account.host_url, account.sid, key, token, account.retry_503)
