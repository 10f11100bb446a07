"""What a campaign is held against before anything of it is queued: one line a gateway in each table.

What a gateway sends, a body or a content object; what judges a content object; which of its own tables of a campaign
file it reads; and what it says of a sender.
"""

from collections.abc import Mapping

from config.account_models import Account, ExotelWhatsAppAccount, SkycoreSmsAccount, XtendSmsAccount
from worker.gateways import exotel_whatsapp, skycore_sms, xtend_sms
from worker.gateways.whatsapp_content import ContentCheck, check_content, check_xtend_content

_CONTENT_CHECKS: Mapping[str, ContentCheck] = {
    "exotel-whatsapp": check_content,
    "xtend-whatsapp": check_xtend_content,
}
_TABLES: Mapping[str, str] = {"exotel": "exotel-sms", "skycore": "skycore-sms"}


def takes_content(gateway: str) -> bool:
    """Whether the kind of gateway ("exotel-sms") sends content objects; the others send bodies."""
    return gateway in _CONTENT_CHECKS


def content_check(gateway: str) -> ContentCheck:
    """Return what judges content objects for this kind of gateway.

    For a gateway that is not known, or sends none, it is what all content objects have in common.
    """
    return _CONTENT_CHECKS.get(gateway, check_content)


def reader_of(table: str) -> str:
    """Return the kind of gateway that reads a table of its own in a campaign file ("exotel"); the others ignore it."""
    return _TABLES[table]


def sender_problem(account: Account, sender: str) -> str:
    """Say why this account can not send with a campaign's `from` ("" where there is none), "" where it can."""
    match account:
        case ExotelWhatsAppAccount():
            return exotel_whatsapp.check_sender(sender)
        case XtendSmsAccount():
            return xtend_sms.check_sender(sender)
        case SkycoreSmsAccount():
            return skycore_sms.check_sender(sender) or skycore_sms.check_number(sender, account.sender_number)
        case _:
            return ""
