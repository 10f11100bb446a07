"""What a gateway says is shown as one line of letters."""

import pytest

from worker.gateways.discretion import Discretion


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("bad\x1b[31m key\x07", "bad [31m key"),
        ("first\r\nsecond\tthird", "first second third"),
        ("half \ud83d pair", "half ? pair"),
        ("dash\u200bed, ₹ 5, हिन्दी", "dash ed, ₹ 5, हिन्दी"),
    ],
)
def test_what_a_terminal_would_obey_is_left_out(said, shown):
    assert Discretion().discreet(said, ()) == shown
