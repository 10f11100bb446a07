"""Suppression lists on a real server: exact membership and counts, and how a look-up chooses among them."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from worker.domain.suppression import EVERY_SENDER, Checks, Reason, Scope, SuppressionList
from worker.ledger import keys
from worker.ledger.errors import LedgerBroken
from worker.ledger.suppression import (
    AT_ONCE,
    count_of,
    find_suppressed,
    list_counts,
    lists_with,
    numbers_on,
    suppress,
    unsuppress,
)

A, B, C = 919000000001, 919000000002, 919000000003
EVERYBODY = SuppressionList()
MAIN = SuppressionList(kind="account", name="main")
EXOTEL = SuppressionList(kind="sender", name="EXOTEL")
LISTS = [
    SuppressionList(scope=scope, kind=each.kind, name=each.name)
    for each in (EVERYBODY, MAIN, EXOTEL)
    for scope in Scope
]


def checks(account="main", sender="EXOTEL", promotional=False, hours=0):
    return Checks(account=account, sender=sender, is_promotional=promotional, not_before_hours=hours)


def test_a_number_that_is_added_is_found_with_its_reason(ledger):
    assert suppress(ledger.redis, EVERYBODY, [A, B], Reason.HAND) == 2
    assert suppress(ledger.redis, EVERYBODY, [C], Reason.OPTED_OUT) == 1
    assert find_suppressed(ledger.redis, checks(), [A, 919000000009, C]) == {0: "hand@global", 2: "opted-out@global"}


def test_the_first_reason_stays_and_the_number_counts_once(ledger):
    suppress(ledger.redis, EVERYBODY, [A], Reason.OPTED_OUT)
    assert suppress(ledger.redis, EVERYBODY, [A, A, B, B], Reason.HAND) == 1
    assert lists_with(ledger.redis, A) == {EVERYBODY: Reason.OPTED_OUT}
    assert count_of(ledger.redis, EVERYBODY) == 2


def test_removing_takes_a_number_off_whatever_its_reason_was(ledger):
    suppress(ledger.redis, EVERYBODY, [A], Reason.DND)
    suppress(ledger.redis, MAIN, [A], Reason.HAND)
    assert unsuppress(ledger.redis, EVERYBODY, [A, B, A]) == 1
    assert lists_with(ledger.redis, A) == {MAIN: Reason.HAND}


def test_a_list_that_is_emptied_leaves_no_key(ledger):
    suppress(ledger.redis, EXOTEL, [A, B], Reason.DND)
    unsuppress(ledger.redis, EXOTEL, [A, B])
    assert ledger.redis.keys("bs:sup*") == []


@pytest.mark.parametrize(
    ("of", "asked", "found"),
    [
        (EVERYBODY, checks(account="", sender=""), "hand@global"),
        (MAIN, checks(), "hand@account"),
        (MAIN, checks(account="other"), None),
        (MAIN, checks(account=""), None),
        (EXOTEL, checks(account="other"), "hand@sender"),
        (EXOTEL, checks(sender="exotel"), "hand@sender"),
        (EXOTEL, checks(sender=""), None),
        (SuppressionList(kind="sender", name="Exotel"), checks(), "hand@sender"),
        (SuppressionList(kind="sender", name="A:5"), checks(sender="a:5"), "hand@sender"),
        (SuppressionList(kind="sender", name="A:5"), checks(sender="A"), None),
        (SuppressionList(kind="sender", name="A:5"), checks(sender=EVERY_SENDER), "hand@senders"),
        (SuppressionList(scope=Scope.PROMOTIONAL, kind="sender", name="A"), checks(sender=EVERY_SENDER), None),
        (MAIN, checks(sender=EVERY_SENDER), "hand@account"),
        (SuppressionList(scope=Scope.PROMOTIONAL), checks(), None),
        (SuppressionList(scope=Scope.PROMOTIONAL), checks(promotional=True), "hand@global"),
        (
            SuppressionList(scope=Scope.PROMOTIONAL, kind="account", name="main"),
            checks(promotional=True),
            "hand@account",
        ),
        (EVERYBODY, checks(promotional=True), "hand@global"),
    ],
)
def test_a_list_holds_for_its_own_place_and_scope(ledger, of, asked, found):
    suppress(ledger.redis, of, [A], Reason.HAND)
    assert find_suppressed(ledger.redis, asked, [B, A]) == ({1: found} if found else {})


def test_a_message_with_a_sender_of_its_own_is_looked_up_in_the_lists_of_thousands(ledger):
    senders = {f"all:sender:S{i}": 1 for i in range(5_000)}
    ledger.redis.hset(keys.SUPPRESSION_LISTS, mapping=senders)
    suppress(ledger.redis, SuppressionList(kind="sender", name="last"), [A], Reason.HAND)
    assert find_suppressed(ledger.redis, checks(sender=EVERY_SENDER), [A]) == {0: "hand@senders"}


def test_numbers_of_one_bucket_and_of_any_length_are_told_apart(ledger):
    numbers = [A + 65_536 * i for i in range(600)] + [1, 65_537, 999_999_999_999_999, 2**31, 2**32 + 1]
    assert suppress(ledger.redis, EVERYBODY, numbers[::2], Reason.DND) == len(numbers[::2])
    found = find_suppressed(ledger.redis, checks(), numbers)
    assert found == dict.fromkeys(range(0, len(numbers), 2), "dnd@global")
    assert unsuppress(ledger.redis, EVERYBODY, numbers) == len(numbers[::2])


def test_a_bucket_is_an_array_of_integers(ledger):
    suppress(ledger.redis, EVERYBODY, [A + 65_536 * i for i in range(500)], Reason.DND)
    key = keys.suppression("global") + str(A % 65_536)
    assert ledger.redis.object("encoding", key) == b"intset"


def test_more_numbers_than_one_script_takes_are_counted_over_all_of_them(ledger):
    numbers = range(A, A + 2 * AT_ONCE + 1)
    assert suppress(ledger.redis, MAIN, numbers, Reason.HAND) == len(numbers)
    assert sorted(numbers_on(ledger.redis, MAIN)) == [(number, Reason.HAND) for number in numbers]
    assert unsuppress(ledger.redis, MAIN, numbers) == len(numbers)


def test_of_a_list_that_is_not_there_nothing_is_read(ledger):
    ledger.redis.config_resetstat()
    assert list(numbers_on(ledger.redis, MAIN)) == []
    assert "cmdstat_smembers" not in ledger.redis.info("commandstats")


def test_the_lists_are_told_with_the_global_ones_first(ledger):
    for of in LISTS:
        suppress(ledger.redis, of, [A, B][: LISTS.index(of) % 2 + 1], Reason.HAND)
    assert list(list_counts(ledger.redis).items()) == [(of, LISTS.index(of) % 2 + 1) for of in LISTS]


def test_a_list_that_no_script_made_is_named(ledger):
    ledger.redis.hset(keys.SUPPRESSION_LISTS, "some:global", 1)
    with pytest.raises(LedgerBroken, match="'some:global'"):
        list_counts(ledger.redis)


def test_nobody_is_looked_up_where_there_is_no_list(ledger):
    ledger.redis.config_resetstat()
    assert find_suppressed(ledger.redis, checks(promotional=True), range(A, A + 2_000)) == {}
    assert "cmdstat_smismember" not in ledger.redis.info("commandstats")


change = st.tuples(
    st.sampled_from(["add", "add", "remove"]),
    st.sampled_from(LISTS),
    st.lists(st.integers(A, A + 12) | st.sampled_from([A + 65_536, A + 2 * 65_536]), max_size=6),
    st.sampled_from(Reason),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(change, max_size=12), promotional=st.booleans(), account=st.sampled_from(["main", "", "x"]))
def test_lists_are_what_a_dictionary_says_after_any_changes(ledger, changes, promotional, account):
    ledger.wipe()
    model = {of: {} for of in LISTS}
    for verb, of, numbers, reason in changes:
        before = dict(model[of])
        if verb == "add":
            for number in numbers:
                model[of].setdefault(number, reason)
            assert suppress(ledger.redis, of, numbers, reason) == len(model[of]) - len(before)
        else:
            for number in numbers:
                model[of].pop(number, None)
            assert unsuppress(ledger.redis, of, numbers) == len(before) - len(model[of])
    assert list_counts(ledger.redis) == {of: len(on) for of, on in model.items() if on}
    everybody = [*range(A, A + 13), A + 65_536, A + 2 * 65_536]
    for number in everybody:
        assert lists_with(ledger.redis, number) == {of: model[of][number] for of in LISTS if number in model[of]}
    asked = [
        of for of in LISTS
        if (of.kind != "account" or of.name == account) and (promotional or of.scope is Scope.ALL)
    ]  # fmt: skip
    expected = {}
    for position, number in enumerate(everybody):
        on = [f"{model[of][number]}@{of.kind}" for of in asked if number in model[of]]
        if on:
            expected[position] = on[0]
    assert find_suppressed(ledger.redis, checks(account=account, promotional=promotional), everybody) == expected
