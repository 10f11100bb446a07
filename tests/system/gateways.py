"""The gateways as the system tests use them: one row a gateway, and every test of `test_gateways` runs over the rows.

A sixth gateway is one more row here. The simulator's account is "sim", with the key "sim-key" and the token
"sim-token"; it knows a second account, "other", where a test asks for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.system.stack import Stack, people
from worker.ledger.audit import audit
from worker.ledger.connection import connect

_NO_EXOTEL = {"sid": None, "api_key": None, "api_token": None}
_TEXT = {"type": "text", "text": {"body": "Hello {name}"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One gateway.

    `account` and `campaign` are keys of the two files, in place of those of the stack (`None`: without it); `endpoint`
    is what an account's `base_url` has after the simulator's. `login` is the field by which the simulator tells
    accounts apart, `secrets` are the secret fields and the simulator's option for each, `held` is a word of what is
    said where one is wrong. `refusal` is a code with which a number is refused. A test messages `rows` people, `batch`
    of them a call. `reported`: delivery reports go to a URL of the "call", of the "account", or nowhere ("").
    """

    gateway: str
    account: Mapping[str, Any]
    campaign: Mapping[str, Any]
    login: str
    secrets: Mapping[str, str]
    refusal: str
    rows: int
    batch: int
    endpoint: str = ""
    reported: str = ""
    held: str = "credentials"

    def __str__(self) -> str:
        """As its tests are named."""
        return self.gateway

    def calls(self, rows: int) -> int:
        """Return how many calls so many people need at the least."""
        return -(-rows // self.batch)


ROWS = (
    Row(
        gateway="exotel-whatsapp",
        account={},
        campaign={"body": None, "content": _TEXT, "from": "+919000099999"},
        login="sid",
        secrets={"api_key": "--api-key", "api_token": "--api-token"},
        refusal="30012",
        rows=750,
        batch=100,
        reported="call",
    ),
    Row(
        gateway="xtend-sms",
        account={**_NO_EXOTEL, "username": "sim", "password": "sim-token", "dlt_header_id": "1105000000000000001"},
        campaign={"dlt_entity_id": "1101000000000000001", "dlt_template_id": "1107000000000000001"},
        login="username",
        secrets={"password": "--api-token"},
        refusal="954",
        rows=120,
        batch=1,
    ),
    Row(
        gateway="xtend-whatsapp",
        account={**_NO_EXOTEL, "phone_number_id": "sim", "api_key": "sim-key"},
        campaign={"body": None, "content": _TEXT, "from": None},
        login="phone_number_id",
        secrets={"api_key": "--api-key"},
        refusal="131026",
        rows=120,
        batch=1,
    ),
    Row(
        gateway="skycore-sms",
        account={**_NO_EXOTEL, "api_key": "sim-key", "sender_number": "+12025550123"},
        campaign={},
        endpoint="/skycore",
        login="api_key",
        secrets={"api_key": "--api-key"},
        refusal="E110",
        rows=120,
        batch=1,
        reported="account",
        held="API key",
    ),
)

ONE_BY_ONE = tuple(row for row in ROWS if row.batch == 1)
REPORTED = tuple(row for row in ROWS if row.reported)


def add_account(stack: Stack, row: Row, name: str = "main", **keys: Any) -> None:
    """Add an account at this gateway to the stack's accounts file."""
    url = f"{stack.simulator.url}{row.endpoint}"
    stack.account(name, url=url, **{"gateway": row.gateway, **row.account, **keys})


def audited(stack: Stack, campaign: str) -> None:
    """Fail unless the per-recipient record and the counters say the same."""
    with connect(stack.redis_url) as client:
        assert audit(client, campaign) == ()


def agrees(stack: Stack, campaign: str, recipients: list[dict[str, str]]) -> dict[str, set[str]]:
    """Hold record, counters and gateway against each other; return the numbers by outcome.

    Whoever is accepted was taken by the gateway, once, in their own words, under the id in the record; who is rejected
    was not taken; and nobody was taken twice.
    """
    standing = stack.standing(campaign)
    audited(stack, campaign)
    taken = {message["to"]: message for message in stack.simulator.messages()}
    assert len(taken) == stack.simulator.stats()["accepted"], "nobody is taken twice"
    record = stack.record(campaign)
    assert [line.to for line in record] == [person["to"] for person in recipients]
    found: dict[str, set[str]] = {}
    for line, person in zip(record, recipients, strict=True):
        found.setdefault(line.outcome, set()).add(line.to)
        if line.outcome == "accepted":
            message = taken[line.to]
            assert (message["sid"], message["body"]) == (line.gateway_id, f"Hello {person['name']}")
        assert line.outcome != "rejected" or line.to not in taken, line
    assert {name: len(numbers) for name, numbers in found.items()} == {
        name: count
        for name in ("pending", "in_flight", "accepted", "rejected", "unconfirmed")
        if (count := getattr(standing, name))
    }
    return found


def crowd(row: Row) -> list[dict[str, str]]:
    """Return as many people as this gateway's tests message."""
    return people(row.rows)
