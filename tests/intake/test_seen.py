"""The table of numbers is a set, whatever comes in."""

import random

from hypothesis import given
from hypothesis import strategies as st

from worker.intake.seen import SeenNumbers


@given(numbers=st.lists(st.integers(min_value=1, max_value=2**64 - 1) | st.integers(min_value=1, max_value=20)))
def test_a_number_is_new_once(numbers):
    seen, oracle = SeenNumbers(), set()
    for number in numbers:
        assert seen.add(number) == (number not in oracle)
        oracle.add(number)
    assert len(seen) == len(oracle)


def test_it_stays_exact_while_it_grows():
    draw = random.Random(4)
    numbers = [919000000000 + draw.randrange(30_000) for _ in range(40_000)]
    seen, oracle = SeenNumbers(), set()
    for number in numbers:
        assert seen.add(number) == (number not in oracle)
        oracle.add(number)
    assert not any(seen.add(number) for number in oracle)
