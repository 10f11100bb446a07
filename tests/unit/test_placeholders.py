import secrets
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.placeholders import is_placeholder


@pytest.mark.parametrize(
    "secret",
    [
        "change-me", "changeme", "CHANGE_ME", "Change me!", "changeme123", "change-this", "replace_me", "fill-in",
        "your-api-key", "YOUR_API_TOKEN", "your key", "your-own-secret", "yourpassword", "your_token_here",
        "put-your-key-here", "enter the token", "xxx", "XXXXXXXX", "***", "....", "<api-key>", "<>", "[key]",
        "${EXOTEL_API_KEY}", "$(cat key)", "{{ key }}", "{key}", "password", "secret", "api_key", "API-TOKEN", "KEY",
        "TOKEN", "todo", "  change-me\n", "'change-me'", '"xxxx"',
    ],
)  # fmt: skip
def test_what_a_person_was_meant_to_replace_is_a_placeholder(secret):
    assert is_placeholder(secret)


@pytest.mark.parametrize(
    "secret",
    [
        "sim-key", "key-1", "token-1", "made-up", "hunter2", "k", "xx", "xxx1", "exchange-meridian", "changement",
        "yourselves", "setting-4f9a", "a<b>c", "passw0rd!", "secretary-7", "tokenring",
    ],
)  # fmt: skip
def test_what_could_be_somebodys_secret_is_not(secret):
    assert not is_placeholder(secret)


@given(st.randoms(use_true_random=False), st.integers(16, 64))
def test_a_random_secret_is_never_taken_for_a_placeholder(random, length):
    assert not is_placeholder("".join(random.choices(string.ascii_letters + string.digits, k=length)))


def test_what_the_standard_library_makes_is_not_a_placeholder():
    for make in (secrets.token_urlsafe, secrets.token_hex):
        assert not any(is_placeholder(make()) for _ in range(200))
