"""Secrets stay in memory: no log, file of Redis, Celery message or output shows one, nor a number or a body."""

import pytest

from tests.system.listening import Monitor, carried, found, shows_a_number
from tests.system.stack import free_port, people, wait_for

pytestmark = pytest.mark.system

KEY, TOKEN, OTHER_TOKEN = "kq7distinctivekey", "tz9distinctivetoken", "ux3distinctivetoken"
BODY = "Xylophonists {name} quincunxes"


def test_a_run_with_every_kind_of_trouble_shows_no_credential_number_or_body_anywhere(stack, capfd):
    faults = [word for fault in ("429#2", "garbage#4", "reset#6", "503#8", "hang#10") for word in ("--fault", fault)]
    options = ["--api-key", KEY, "--api-token", TOKEN, "--sid", "sim", "--sid", "other", "--reject", "7=23010"]
    simulator = stack.simulate(*options, *faults, "--retry-after", "1")
    stack.account(api_key=KEY, api_token="env:BULKSEND_TEST_TOKEN", timeout=1.0)
    stack.account("wrong", sid="other", api_key=KEY, api_token=OTHER_TOKEN)
    stack.account("nowhere", url=f"http://127.0.0.1:{free_port()}", sid="other", api_key=KEY, api_token=TOKEN)
    recipients = people(1500)
    monitor = Monitor(stack.server.port)

    # Rung before a worker is there, so that the doorbells can be looked at where they wait.
    campaign = stack.enqueue(recipients, body=BODY)
    unreachable = stack.enqueue(recipients, id="c2", body=BODY, accounts=["nowhere"])
    stack.worker(BULKSEND_LOG_LEVEL="DEBUG", BULKSEND_TEST_TOKEN=TOKEN)
    stack.wait_for_state(campaign, "finished")
    stack.enqueue(recipients, id="c3", body=BODY, accounts=["wrong"])
    wait_for(lambda: stack.lane("wrong").held, "held")
    wait_for(lambda: stack.standing(unreachable).reason, "backs off")
    poisoned = stack.enqueue(recipients, id="c4", body=BODY + " [[poison]]")
    stack.wait_for_state(poisoned, "paused")
    done = stack.standing(campaign)
    assert (done.throttled, done.unconfirmed, done.rejected) == (2, 300, 120)
    assert simulator.stats()["faults"] == {"429": 1, "garbage": 1, "reset": 1, "503": 1, "hang": 1}
    stack.close()

    said = monitor.close()
    messages, bodies = carried(said)
    assert any(b'["nowhere"]' in body for body in bodies), "doorbells were seen"
    assert any(b"task-received" in body for body in bodies), "events were seen"
    kept = b"".join(file.read_bytes() for file in (stack.directory / "appendonlydir").iterdir())
    logs = stack.logs().encode()
    printed = b"".join(file.read_bytes() for file in stack.directory.glob("worker-*.out"))
    captured = capfd.readouterr()
    printed += captured.out.encode() + captured.err.encode()
    assert b"batch.settled" in logs
    assert len(kept) > 100_000

    for place in (logs, printed, kept, said):
        assert found(place, [KEY, TOKEN, OTHER_TOKEN]) == []
    for place in (logs, printed, *messages, *bodies):
        assert found(place, ["Xylophonists", "quincunxes"]) == []
        assert not shows_a_number(place)
