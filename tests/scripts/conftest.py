"""A simulator for each test that asks for one, and a client that knows its credentials."""

from contextlib import asynccontextmanager

import httpx
import pytest

from scripts.simulator import Simulator, SimulatorOptions


class FakeClock:
    """Seconds since the epoch, moved by the test alone."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


class Site:
    """A simulator and a client of it."""

    def __init__(self, simulator, client, clock):
        self.simulator, self.client, self.clock = simulator, client, clock

    async def bulk(self, messages, *, suffix=".json", **outer):
        """One dynamic bulk call; each message is a dict of its fields, or a number."""
        form = dict(outer)
        for index, message in enumerate(messages):
            fields = message if isinstance(message, dict) else {"To": message, "Body": f"Hello {index}"}
            form |= {f"Messages[{index}][{name}]": value for name, value in fields.items()}
        return await self.client.post(f"/v1/Accounts/sim/Sms/bulksend{suffix}", data=form)

    async def send(self, form, *, suffix=".json"):
        """One call to Sms/send with just these parameters."""
        return await self.client.post(f"/v1/Accounts/sim/Sms/send{suffix}", data=form)


@pytest.fixture
def anyio_backend():
    return "asyncio"


@pytest.fixture
def site():
    """`async with site(**options) as it`: a simulator with these options, on a clock that stands still."""

    @asynccontextmanager
    async def opened(**options):
        clock = FakeClock()
        async with (
            Simulator(SimulatorOptions(**options), clock=clock) as simulator,
            httpx.AsyncClient(base_url=simulator.url, auth=("sim-key", "sim-token"), trust_env=False) as client,
        ):
            yield Site(simulator, client, clock)

    return opened
