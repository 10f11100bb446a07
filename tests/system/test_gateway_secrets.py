"""Every adapter keeps its secrets: no log, Celery message, event, exception or file of Redis shows one, or a number."""

import pytest

from tests.system.gateways import REPORTED, ROWS, add_account
from tests.system.listening import Monitor, carried, found, shows_a_number
from tests.system.stack import people, wait_for

pytestmark = pytest.mark.system

SECRETS = ("kq7distinctivekey", "tz9distinctivetoken", "sign-tests-only")
WRONG = "ux3distinctivewrong"
FAULTS = ("429#2", "garbage#4", "reset#6", "503#8", "500#10", "hang#12", "400#14")
BODY = "Xylophonists {name} quincunxes"


def worded(campaign):
    """Return the keys of a campaign that says `BODY`, as a body or as a content object."""
    content = {"type": "text", "text": {"body": BODY}}
    return campaign | ({"content": content} if "content" in campaign else {"body": BODY})


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_a_run_with_every_kind_of_trouble_shows_no_secret_number_or_body_anywhere(stack, row, capfd):
    own = dict(zip(row.secrets, SECRETS, strict=False))
    known = [word for field, secret in own.items() for word in (row.secrets[field], secret)]
    faults = [word for fault in FAULTS for word in ("--fault", fault)]
    reports = ("--reports", "0.2") if row in REPORTED else ()
    stack.simulate(*known, *faults, *reports, "--reject", f"7={row.refusal}", "--sid", "sim", "--sid", "other")
    # The account's last secret is what its environment says, the other account's first one is wrong.
    last = list(own)[-1]
    add_account(stack, row, **own | {last: "env:BULKSEND_TEST_SECRET"}, timeout=1.0, requests="100/second")
    wrong = {row.login: "other"} | own | {next(iter(own)): WRONG}
    add_account(stack, row, "wrong", **wrong)
    recipients, campaign = people(16 * row.batch), worded(row.campaign)
    monitor = Monitor(stack.server.port)
    stack.callbacks()
    stack.own["BULKSEND_TEST_SECRET"] = own[last]

    # Rung before a worker is there, so that the doorbells can be looked at where they wait.
    sent = stack.enqueue(recipients, **campaign)
    stack.worker(BULKSEND_LOG_LEVEL="DEBUG")
    done = stack.wait_for_state(sent, "finished")
    refused = stack.enqueue(recipients, id="c2", accounts=["wrong"], **campaign)
    wait_for(lambda: stack.lane("wrong").held, "held")
    assert stack.simulator.stats()["faults"] == dict.fromkeys([fault.partition("#")[0] for fault in FAULTS], 1)
    assert (done.accepted > 0, done.rejected > 0, done.unconfirmed > 0, done.throttled) == (True, True, True, 2)
    shown = f"{done}{stack.standing(refused)}{stack.lane('wrong')}{[line.reason for line in stack.record(sent)]}"
    stack.close()

    said = monitor.close()
    messages, bodies = carried(said)
    assert any(b'["main"]' in body for body in bodies), "doorbells were seen"
    assert any(b"bulksend.batch" in body for body in bodies), "events of batches were seen"
    kept = b"".join(file.read_bytes() for file in (stack.directory / "appendonlydir").iterdir())
    logs = b"".join(file.read_bytes() for file in stack.directory.glob("*.log"))
    captured = capfd.readouterr()
    printed = b"".join(file.read_bytes() for file in stack.directory.glob("worker-*.out"))
    printed += captured.out.encode() + captured.err.encode()
    assert b"batch.settled" in logs
    for place in (logs, printed, kept, said, shown.encode()):
        assert found(place, [*SECRETS, WRONG]) == []
    for place in (logs, printed, shown.encode(), *messages, *bodies):
        assert found(place, ["Xylophonists", "quincunxes"]) == []
        assert not shows_a_number(place)
