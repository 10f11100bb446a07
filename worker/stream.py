"""The bytes under one HTTP connection: an asyncio transport behind httpcore's public stream interface.

It knows two things that decide what a failure means: whether a byte of a request was handed to the system
(`written_bytes`), and whether the peer has closed or said something unasked (`disturbed`). The transport reads
whenever the loop runs, so a gateway that closes an idle connection is seen before the next request is written.
"""

import asyncio
import ssl
from typing import Any, cast

import httpcore

_MOST_UNREAD_BYTES = 16 << 20
_MOST_READ_BYTES = 16 << 20
"""Of one answer, all that is not its content included: a peer can send headers and interim answers for ever."""

_TLS_GOODBYE_S = 1.0
_NEXT_ADDRESS_S = 0.25


class Stream(asyncio.Protocol, httpcore.AsyncNetworkStream):
    """One open TCP or TLS connection for one reader and one writer; deadlines are the caller's `asyncio.timeout`."""

    def __init__(self) -> None:
        """Start closed; the event loop opens it with `connection_made`."""
        self.written_bytes = 0
        self._read_bytes = 0  # since the last write
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._ended = False
        self._failure: Exception | None = None
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()

    @property
    def disturbed(self) -> bool:
        """Whether something waits to be read, or the connection is over: either way no request may go out on it."""
        return bool(self._received) or self._ended or self._transport is None or self._transport.is_closing()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002, ASYNC109
        """Wait for bytes; `b""` at the end. `httpcore.ReadError` if the connection broke before that, or talks on."""
        if self._received:
            await asyncio.sleep(0)  # a peer that is faster than its reader must not keep the loop
        while not self._received and not self._ended:
            self._news.clear()
            await self._news.wait()
        if not self._received:
            if self._failure is not None:
                raise httpcore.ReadError(type(self._failure).__name__)
            return b""
        data = bytes(self._received[:max_bytes])
        del self._received[:max_bytes]
        self._read_bytes += len(data)
        if self._read_bytes > _MOST_READ_BYTES:
            raise httpcore.ReadError
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002, ASYNC109
        """Hand bytes over and wait for room. `httpcore.WriteError`, with nothing handed over, if it is closed."""
        if not buffer:
            return
        if self._ended or self._transport is None or self._transport.is_closing():
            raise httpcore.WriteError
        self.written_bytes += len(buffer)
        self._read_bytes = 0
        self._transport.write(buffer)
        await self._room.wait()

    async def aclose(self) -> None:
        """Close at once, without waiting for the peer."""
        self.abort()

    def abort(self) -> None:
        """Close at once; harmless when closed already."""
        if self._transport is not None:
            self._transport.abort()

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401  (httpcore's signature)
        """Give what httpcore asks of an idle connection (`is_readable`), or asyncio's own facts."""
        if info == "is_readable":
            return self.disturbed
        return None if self._transport is None else self._transport.get_extra_info(info)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Note that the connection, with TLS if any, is open."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Keep what came; a peer that talks on and on to nobody is hung up on."""
        self._received += data
        if len(self._received) > _MOST_UNREAD_BYTES:
            self.abort()
        self._news.set()

    def eof_received(self) -> None:
        """Note that the peer has said all; the transport then closes itself."""
        self._ended = True
        self._news.set()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wake whoever waits: nothing comes any more."""
        self._ended, self._failure = True, exc
        self._news.set()
        self._room.set()

    def pause_writing(self) -> None:
        """Let the writer wait: the system takes no more bytes."""
        self._room.clear()

    def resume_writing(self) -> None:
        """Let the writer go on."""
        self._room.set()


async def connect(host: str, port: int, tls: ssl.SSLContext | None) -> Stream:
    """Open a connection, TLS included; `OSError` (`ssl.SSLError` and `socket.gaierror` are such) if that fails."""
    _, stream = await asyncio.get_running_loop().create_connection(
        Stream,
        host,
        port,
        ssl=tls,
        server_hostname=host if tls else None,
        ssl_shutdown_timeout=_TLS_GOODBYE_S if tls else None,
        happy_eyeballs_delay=_NEXT_ADDRESS_S,
    )
    return stream
