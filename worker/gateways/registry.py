"""Which adapter serves an account: one line a gateway."""

from collections.abc import Mapping

from config.account_models import (
    Account,
    ExotelSmsAccount,
    ExotelWhatsAppAccount,
    SkycoreSmsAccount,
    XtendSmsAccount,
    XtendWhatsAppAccount,
)
from config.credentials import Credentials
from worker.gateways.exotel_sms import ExotelSms
from worker.gateways.exotel_whatsapp import ExotelWhatsApp
from worker.gateways.protocol import Gateway
from worker.gateways.skycore_sms import SkycoreSms
from worker.gateways.xtend_sms import AnswerPatterns, XtendSms
from worker.gateways.xtend_whatsapp import XtendWhatsApp

_GATEWAYS = (ExotelSms, ExotelWhatsApp, SkycoreSms, XtendSms, XtendWhatsApp)
_BATCH_LIMITS: Mapping[str, int] = {gateway.name: gateway.batch_limit for gateway in _GATEWAYS}


def batch_limit(gateway: str) -> int:
    """Return the most messages that one call to this kind of gateway ("exotel-sms") may carry."""
    return _BATCH_LIMITS[gateway]


def build(account: Account, credentials: Credentials) -> Gateway:
    """Make the adapter for an account of the accounts file, with its credentials resolved."""
    secret = credentials
    match account:
        case ExotelSmsAccount():
            return ExotelSms(account.host_url, account.sid, secret["api_key"], secret["api_token"], account.retry_503)
        case XtendSmsAccount():
            patterns = AnswerPatterns(account.answer_error, account.answer_text, account.answer_id)
            dlt, policy = account.dlt_header_id, account.retry_503
            return XtendSms(account.base_url, account.username, secret["password"], dlt, patterns, policy)
        case SkycoreSmsAccount():
            return SkycoreSms(account.base_url, secret["api_key"], account.sender_number, account.retry_503)
        case ExotelWhatsAppAccount():
            key, token, policy = secret["api_key"], secret["api_token"], account.retry_503
            return ExotelWhatsApp(account.host_url, account.sid, key, token, policy)
        case XtendWhatsAppAccount():
            return XtendWhatsApp(account.base_url, account.phone_number_id, secret["api_key"])
