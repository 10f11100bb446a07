"""uvicorn as `bulksend callbacks` runs it: no line for a request, and no connection that only waits.

Whoever connects and never sends a whole request holds a file descriptor and nothing else, for 10 s.
"""

import asyncio
import signal
import socket
from asyncio import Transport
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

try:
    import resource
except ImportError:  # not a POSIX system
    resource = None  # type: ignore[assignment]

HEADERS_S = 10.0
"""From the connection, or the last answer on it, to the end of a request's headers."""

STOP_S = 5.0
"""How long a stopping server waits for bodies that are under way; nobody was told that it has them."""

_KEEP_ALIVE_S = 5
_BACKLOG = 2048


class PromptProtocol(HttpToolsProtocol):
    """uvicorn's own, which waits for ever for headers, with a deadline for them."""

    headers_s = HEADERS_S
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override] # as uvicorn's own
        """Give the first request its time."""
        super().connection_made(transport)
        self._give_time()

    def on_headers_complete(self) -> None:
        """Stop the time: from here on the application has its own."""
        self._take_time()
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        """Give the next request its time, unless it is there already."""
        super().on_response_complete()
        if self.cycle.response_complete and not self.transport.is_closing():
            self._give_time()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the time."""
        self._take_time()
        super().connection_lost(exc)

    def _give_time(self) -> None:
        self._take_time()
        self._deadline = self.loop.call_later(self.headers_s, self.transport.close)

    def _take_time(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


class CallbackServer(uvicorn.Server):
    """Serves one application on a socket that is bound already; `announce` is called when it does."""

    def __init__(
        self, application: Starlette, announce: Callable[[], None], protocol: type[PromptProtocol] = PromptProtocol
    ) -> None:
        config = uvicorn.Config(
            application,
            http=protocol,
            ws="none",
            lifespan="on",
            log_config=None,  # config.logging owns the root logger
            log_level="error",  # not a line for each stranger's nonsense
            access_log=False,
            server_header=False,
            proxy_headers=False,
            backlog=_BACKLOG,
            timeout_keep_alive=_KEEP_ALIVE_S,
            timeout_graceful_shutdown=int(STOP_S),
        )
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start as uvicorn does, and say so."""
        await super().startup(sockets)
        self._announce()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone: uvicorn would raise them again at its end, and the exit status would not be 0."""
        yield

    def stop(self) -> None:
        """Stop soon: answer what is under way, within `STOP_S`."""
        self.should_exit = True


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that is bound there, on a free port for 0; raises `OSError`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=_BACKLOG)


def url_of(listening: socket.socket) -> str:
    """Return the URL under which the socket is reached."""
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(application: Starlette, listening: socket.socket, announce: Callable[[], None]) -> None:
    """Serve until SIGTERM or SIGINT; the socket is closed after it."""
    _raise_limit()
    server = CallbackServer(application, announce)
    asyncio.run(_serve(server, listening))


async def _serve(server: CallbackServer, listening: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    await server.serve([listening])


def _raise_limit() -> None:
    """Let this process have as many open files as it may: each connection is one."""
    wanted: Any = resource
    if wanted is None:
        return
    _, hard = wanted.getrlimit(wanted.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # some systems say "unlimited" and do not mean it
        wanted.setrlimit(wanted.RLIMIT_NOFILE, (hard, hard))
