"""What each gateway sends, a body or a content object, and what judges a content object: one line a gateway."""

from collections.abc import Callable, Mapping

from worker.gateways.whatsapp_content import check_content

_CONTENT_CHECKS: Mapping[str, Callable[[str], str]] = {
    "exotel-whatsapp": check_content,
    "xtend-whatsapp": check_content,
}


def takes_content(gateway: str) -> bool:
    """Whether the kind of gateway ("exotel-sms") sends content objects; the others send bodies."""
    return gateway in _CONTENT_CHECKS


def content_check(gateway: str) -> Callable[[str], str]:
    """Return what tells why a content object's JSON can not be sent by this kind of gateway, "" where it can.

    For a gateway that is not known, or sends none, it is what all content objects have in common.
    """
    return _CONTENT_CHECKS.get(gateway, check_content)
