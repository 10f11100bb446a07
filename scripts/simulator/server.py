"""The simulator as a server: inside a test (`async with Simulator(...)`), or as a process of its own (`serve`)."""

import asyncio
import signal
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from scripts.simulator.connection import Connection
from scripts.simulator.gateway import Clock, Gateway
from scripts.simulator.memory import Arrival, Message, Stats
from scripts.simulator.options import SimulatorOptions
from scripts.simulator.postman import Postman

LOOPBACK = "127.0.0.1"


def steady_clock() -> Clock:
    """Seconds since the epoch that never step: the wall clock is read once, the rest is monotonic."""
    offset = time.time() - time.monotonic()
    return lambda: time.monotonic() + offset


class Simulator:
    """A stand-in for the five gateways that listens while it is entered.

    `port` 0 takes a free one. Raises OSError on entry where it can not listen. `clock` gives seconds since the epoch;
    the limiter and the records use it, latencies do not.
    """

    def __init__(
        self,
        options: SimulatorOptions | None = None,
        *,
        host: str = LOOPBACK,
        port: int = 0,
        clock: Clock | None = None,
    ) -> None:
        self._postman = Postman()
        self._gateway = Gateway(options or SimulatorOptions(), clock or steady_clock(), self._postman)
        self._host, self._port = host, port
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        """Listens."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Connection(self._gateway, self._connections), self._host, self._port, backlog=1024
        )
        self._port = self._server.sockets[0].getsockname()[1]
        self._postman.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stops listening, resets every connection, drops the reports that wait.

        What was accepted can still be asked for.
        """
        if self._server is not None:
            self._server.close()
            for connection in list(self._connections):
                connection.reset()
            await self._server.wait_closed()
            await self._postman.stop()

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end: an account's `base_url`."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    @property
    def options(self) -> SimulatorOptions:
        """What it goes by now."""
        return self._gateway.options

    def configure(self, options: SimulatorOptions) -> None:
        """Other options from the next request on; what was accepted stays."""
        self._gateway.configure(options)

    def reset(self) -> None:
        """Forgets every request and every report, and counts them from 1 again; the options stay."""
        self._gateway.reset()

    def stats(self) -> Stats:
        """The counts so far."""
        return self._gateway.stats()

    async def reported(self) -> None:
        """Returns as soon as no delivery report waits to be sent."""
        await self._postman.idle()

    def messages(self, prefix: str = "") -> list[Message]:
        """Every accepted message whose custom field starts with `prefix`."""
        return list(self._gateway.memory.messages(prefix))

    def requests(self) -> list[Arrival]:
        """Every call, in the order of arrival."""
        return list(self._gateway.memory.arrivals)


def serve(
    options: SimulatorOptions, host: str = LOOPBACK, port: int = 0, *, announce: Callable[[str], None] | None = None
) -> None:
    """Runs a simulator until SIGTERM or SIGINT.

    `announce` is told its URL as soon as it listens (default: prints `listening on URL`). Raises OSError where it can
    not listen.
    """
    asyncio.run(_serve(Simulator(options, host=host, port=port), announce or _print))


async def _serve(simulator: Simulator, announce: Callable[[str], None]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with simulator:
        announce(simulator.url)
        await stop.wait()


def _print(url: str) -> None:
    print(f"listening on {url}", flush=True)
