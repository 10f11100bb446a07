"""One connection to the simulator: HTTP/1.1 in, and out what a fault needs the raw transport for.

One request at a time: a client that pipelines is cut off. The instant of a call's arrival is that of its head.
"""

import asyncio
import ipaddress
import socket
import struct
from http import HTTPStatus
from typing import cast

import httptools

from scripts.simulator.control import PREFIX, control, forbidden
from scripts.simulator.dialect import Head, Reply
from scripts.simulator.faults import Wire
from scripts.simulator.gateway import Exchange, Gateway, is_call

DRIP_PIECES = 20
_LINGER_ZERO = struct.pack("ii", 1, 0)
_PHRASES = {status.value: status.phrase for status in HTTPStatus}


class Connection(asyncio.Protocol):
    """Reads requests, hands them to the gateway, and writes or withholds the answers."""

    def __init__(self, gateway: Gateway, open_connections: set["Connection"]) -> None:
        self._gateway = gateway
        self._open = open_connections
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._exchange: Exchange | None = None
        self._busy = False
        self._start()

    # What asyncio calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client connected."""
        self._transport = cast("asyncio.Transport", transport)
        self._open.add(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the signature is asyncio's
        """The connection is gone, from whichever side; an answer that was due is not sent."""
        self._transport = None
        self._open.discard(self)
        self._finish()

    def data_received(self, data: bytes) -> None:
        """Bytes came in: the parser calls the methods below."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self.reset()
        except httptools.HttpParserCallbackError:
            raise  # a fault of ours, not of the client
        except httptools.HttpParserError:
            if self._transport is not None:
                self._transport.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                self._transport.close()

    # What the parser calls; after a reset it may still call, with nobody there any more

    def on_message_begin(self) -> None:
        """A request starts."""
        if self._busy:
            self.reset()
        self._start()

    def on_url(self, url: bytes) -> None:
        """A piece of the request target."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header; only what the gateway looks at is kept."""
        match name.lower():
            case b"authorization":
                self._authorization = value.decode("latin-1")
            case b"content-type":
                self._content_type = value.decode("latin-1")
            case b"apikey" | b"x-api-key":
                self._api_key = value.decode("latin-1")
            case b"expect":
                self._expects_continue = True
            case _:
                pass

    def on_headers_complete(self) -> None:
        """The head is whole: this is the arrival."""
        if self._transport is None:
            return
        self._busy = True
        self._method = self._parser.get_method().decode("latin-1")
        path, _, query = self._url.decode("latin-1").partition("?")
        self._head = Head(
            method=self._method,
            path=path,
            query=query,
            authorization=self._authorization,
            api_key=self._api_key,
            content_type=self._content_type,
        )
        if is_call(self._head) and not path.startswith(PREFIX):
            self._exchange = self._gateway.arrive(self._head)
            if self._exchange.wire is Wire.RESET_AT_HEAD:
                self.reset()
                return
        if self._expects_continue:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """The request is whole: what it asks for is decided now, and answered after the latency."""
        if self._transport is None:
            return
        body = b"".join(self._body)
        if self._exchange is not None:
            self._answer(self._gateway.settle(self._exchange, body))
        elif not self._head.path.startswith(PREFIX):
            self._after(self._gateway.options.latency_ms, self._gateway.other(self._head))
        elif self._is_local():
            self._send(control(self._gateway, self._head, body))
        else:
            self._send(forbidden())

    # The answer

    def reset(self) -> None:
        """Ends the connection with a TCP RST; what was written and not yet sent is lost."""
        if self._transport is None:
            return
        sock: socket.socket = self._transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_ZERO)
        self._transport.abort()
        self._transport = None

    def _answer(self, reply: Reply) -> None:
        wait_ms = self._gateway.options.latency_ms
        if reply.early:
            self._gateway.postman.post_now(reply.early, lambda: self._after(wait_ms, reply))
        else:
            self._after(wait_ms, reply)

    def _after(self, wait_ms: float, reply: Reply) -> None:
        if wait_ms:
            self._timer = asyncio.get_running_loop().call_later(wait_ms / 1000, self._send, reply)
        else:
            self._send(reply)

    def _send(self, reply: Reply) -> None:
        if self._transport is None:
            return
        match reply.wire:
            case Wire.WHOLE:
                self._transport.write(self._wire_bytes(reply))
                self._done()
            case Wire.TRUNCATED:
                whole = self._wire_bytes(reply)
                self._transport.write(whole[: len(whole) - len(reply.body) // 2])
                self._transport.close()
            case Wire.DRIP:
                whole = self._wire_bytes(reply)
                size = -(-len(whole) // DRIP_PIECES)
                self._drip([whole[at : at + size] for at in range(0, len(whole), size)])
            case Wire.HANG:
                pass
            case Wire.RESET | Wire.RESET_AT_HEAD:
                self.reset()

    def _drip(self, pieces: list[bytes]) -> None:
        if self._transport is None:
            return
        self._transport.write(pieces[0])
        if len(pieces) == 1:
            self._done()
            return
        wait_s = self._gateway.options.drip_ms / 1000
        self._timer = asyncio.get_running_loop().call_later(wait_s, self._drip, pieces[1:])

    def _wire_bytes(self, reply: Reply) -> bytes:
        extra = "".join(f"{name}: {value}\r\n" for name, value in reply.headers)
        close = "" if self._parser.should_keep_alive() else "Connection: close\r\n"
        phrase = _PHRASES.get(reply.status, "Unknown")
        head = (
            f"HTTP/1.1 {reply.status} {phrase}\r\nContent-Type: {reply.content_type}\r\n"
            f"Content-Length: {len(reply.body)}\r\n{extra}{close}\r\n"
        )
        return head.encode("latin-1") + reply.body

    def _done(self) -> None:
        """The answer is written whole: the connection is free for the next request, or closed if so asked."""
        self._finish()
        if self._transport is not None and not self._parser.should_keep_alive():
            self._transport.close()

    def _finish(self) -> None:
        self._busy = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._exchange is not None:
            self._exchange.memory.leave()
            self._exchange = None

    def _start(self) -> None:
        self._url = b""
        self._method = self._authorization = self._api_key = self._content_type = ""
        self._head = Head(method="", path="")
        self._expects_continue = False
        self._body: list[bytes] = []

    def _is_local(self) -> bool:
        if self._transport is None:
            return False
        peer = self._transport.get_extra_info("peername")
        return bool(peer) and ipaddress.ip_address(peer[0]).is_loopback
