"""A campaign's frequency cap: whole hours, and never further back than is remembered."""

import pytest


@pytest.mark.parametrize("command", [["run"], ["enqueue"], ["enqueue", "--dry-run"]])
def test_a_cap_that_looks_back_further_than_is_remembered_is_refused(cli, monkeypatch, command):
    cli.write("offer.toml", (cli.directory / "offer.toml").read_text() + "not_before_hours = 24\n")
    monkeypatch.setenv("BULKSEND_REMEMBER_HOURS", "23")
    ended = cli(command[0], "offer.toml", *command[1:])
    assert (ended.code, ended.err.count("\n"), cli.is_untouched) == (2, 1, True)
    assert (
        "not_before_hours = 24, but who was messaged is remembered for 23 hours: set BULKSEND_REMEMBER_HOURS"
        in ended.err
    )
    monkeypatch.setenv("BULKSEND_REMEMBER_HOURS", "24")
    assert cli("enqueue", "offer.toml").code == 0


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("0", '"not_before_hours" should be greater than or equal to 1'),
        ("169", '"not_before_hours" should be less than or equal to 168'),
        ("1.5", '"not_before_hours" should be a valid integer'),
    ],
)
def test_a_cap_is_whole_hours_up_to_a_week(cli, value, sentence):
    cli.write("offer.toml", (cli.directory / "offer.toml").read_text() + f"not_before_hours = {value}\n")
    assert sentence in cli("enqueue", "offer.toml").err
