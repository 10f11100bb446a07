"""What a script's code for a suppressed number says to people."""

import pytest

from worker.domain.suppression import SuppressionList, why


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("hand@global", "on the global suppression list: added by hand"),
        ("dnd@account", "on the account's suppression list: reported as DND"),
        ("opted-out@sender", "on the sender's suppression list: opted out"),
        (
            "hand@senders",
            "on a sender's suppression list (from differs by message, so that every sender's counts): added by hand",
        ),
        ("recent@1", "messaged by a campaign within the last 1 hour"),
        ("recent@24", "messaged by a campaign within the last 24 hours"),
        ("moon@global", "moon@global"),
        ("hand@moon", "hand@moon"),
        ("recent@", "recent@"),
    ],
)
def test_a_code_is_told_in_words_and_an_unknown_one_as_it_is(code, words):
    assert why(code) == words


def test_a_list_is_named_with_what_it_is_for():
    assert SuppressionList().place == "global"
    assert SuppressionList(kind="account", name="main").place == "account main"
