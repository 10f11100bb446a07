"""Which gateway sends what, and what judges it."""

import pytest

from worker.gateways.checks import content_check, takes_content
from worker.gateways.whatsapp_content import check_content


@pytest.mark.parametrize("gateway", ["exotel-whatsapp", "xtend-whatsapp"])
def test_a_whatsapp_gateway_sends_content_objects(gateway):
    assert takes_content(gateway)
    assert content_check(gateway)('{"type": "text"}') == "text is missing"


@pytest.mark.parametrize("gateway", ["exotel-sms", "xtend-sms", "skycore-sms"])
def test_an_sms_gateway_sends_bodies(gateway):
    assert not takes_content(gateway)


def test_without_a_gateway_the_limits_of_all_hold():
    assert content_check("") is check_content
