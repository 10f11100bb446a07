"""One HTTP connection to one gateway, for one coroutine: open it, then take a batch, then post.

Why not an `httpx.AsyncClient` as it comes: its pool is quadratic (1,000 calls a second with one in flight, 78 with
64), it connects while it sends, when the batch's slot has already come, and it looks where a redirect would lead. A
line takes httpx's requests and answers, and puts one connection of httpcore's under them.

It keeps the facts on which "nobody twice" stands. `Unsent` is said only where not one byte of the request was handed
to the system; from then on every failure is `Lost`. Nothing is ever repeated here: no retry, no redirect, no request
on a connection that was idle for long or that the peer has closed. And no answer is taken for another call's: a
connection on which more came than one answer is given up.
"""

import asyncio
import functools
import os
import socket
import ssl
import time
import zlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import httpcore
import httpx

from worker.domain.answers import Answer, Call, Lost, Unsent
from worker.stream import Stream, connect

IDLE_LIMIT_S = 2.0
"""No request goes out on a connection that was idle for longer: gateways close idle ones, and a request that crosses
the closing is lost with its 100 messages."""

REUSE_LIMIT_S = 1.5
"""`open` hands out no connection that was idle for longer, so that what is left is time to take a batch."""

CONNECT_LIMIT_S = 10.0
"""The longest that connecting may take, TLS included."""

ANSWER_LIMIT_BYTES = 8 << 20
"""No answer of a gateway is this large; a larger one is not read to its end."""

GRACE_S = 0.05
"""So long after its deadline a call is broken off: a process that slept finds in its socket what came in time."""

_PARTS_A_TURN = 32
"""Parts of an answer read before other coroutines get their turn: a peer may cut it into single bytes."""

_OWN_HEADERS = {"User-Agent": "bulksend", "Accept-Encoding": "identity"}
_DEFAULT_PORT = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Opened:
    """The line may be posted on."""


@functools.cache
def trusted() -> ssl.SSLContext:
    """Make the one TLS context of the process: `SSL_CERT_FILE` or `SSL_CERT_DIR` if set, else certifi's authorities."""
    context = httpx.create_ssl_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


class Line:
    """A connection that is opened anew as often as needed; not for two coroutines at once."""

    def __init__(
        self,
        origin: str,
        *,
        connect_timeout_s: float = CONNECT_LIMIT_S,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Name the origin (`https://host[:port]`) without connecting; `clock` and `now` give seconds."""
        url = httpx.URL(origin)
        self._tls = url.scheme == "https"
        self._host = url.raw_host.decode("ascii")
        self._port = url.port or _DEFAULT_PORT[url.scheme]
        self._origin = httpcore.Origin(url.raw_scheme, url.raw_host, self._port)
        self._connect_timeout_s = min(CONNECT_LIMIT_S, connect_timeout_s)
        self._clock, self._now = clock, now
        self._transport = _OneConnection()
        self._stream: Stream | None = None
        self._idle_since = 0.0
        self.written_bytes = 0
        """Handed to the system by all calls so far."""

    @property
    def is_open(self) -> bool:
        """Whether `open` would return at once: the connection is there and was idle for a short while only."""
        return self._is_usable(REUSE_LIMIT_S)

    async def open(self) -> Opened | Unsent:
        """Make sure of a connection: the one that is there if it was idle for a short while only, else a new one."""
        if self.is_open:
            return Opened()
        self._drop()
        place = f"{self._host}:{self._port}"
        try:
            async with asyncio.timeout(self._connect_timeout_s):
                stream = await connect(self._host, self._port, trusted() if self._tls else None)
        except TimeoutError:
            return Unsent(reason=f"no connection to {place} within {self._connect_timeout_s:g} s")
        except (OSError, UnicodeError) as error:
            return Unsent(reason=f"no connection to {place}: {_in_words(error)}")
        self._stream, self._idle_since = stream, self._clock()
        self._transport.connection = httpcore.AsyncHTTP11Connection(self._origin, stream)
        return Opened()

    async def post(self, call: Call, *, timeout_s: float) -> Answer | Lost | Unsent:
        """Send the call once and read its answer whole, all within `timeout_s`.

        `Unsent` where the line is not open any more, found out before the first byte; `Lost` after any failure from
        then on. The connection outlives an answer and nothing else, a cancellation included.
        """
        stream = self._stream
        if stream is None or not self._is_usable(IDLE_LIMIT_S):
            self._drop()
            return Unsent(reason=f"the connection to {self._host} was closed or idle before the request")
        written_before, finished = stream.written_bytes, False
        try:
            answer = await self._exchange_within(timeout_s, call)
            finished = not self._transport.has_more
            self._idle_since = self._clock()
        except TimeoutError:
            reason = f"no whole answer from {self._host} within {timeout_s:g} s"
        except _AnswerTooLargeError:
            reason = f"the answer of {self._host} is larger than {ANSWER_LIMIT_BYTES} bytes"
        except _EncodedError:
            reason = f"the answer of {self._host} is in an encoding that can not be read"
        except httpcore.RemoteProtocolError:
            reason = f"{self._host} broke off or gave an answer that is not HTTP"
        except httpcore.NetworkError:
            reason = f"the connection to {self._host} broke"
        else:
            return answer
        finally:
            self.written_bytes += stream.written_bytes - written_before
            if not finished:
                self._drop()
        return Lost(reason=reason) if stream.written_bytes > written_before else Unsent(reason=reason)

    async def close(self) -> None:
        """Give the connection up for good."""
        self._drop()

    async def _exchange_within(self, timeout_s: float, call: Call) -> Answer:
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(None) as deadline:
            # Where the process slept, timer and answer come in one turn of the loop: the answer must win.
            timer = loop.call_later(timeout_s, lambda: deadline.reschedule(loop.time() + GRACE_S))
            try:
                return await self._exchange(call)
            finally:
                timer.cancel()

    async def _exchange(self, call: Call) -> Answer:
        headers = {**_OWN_HEADERS, **call.headers}
        request = httpx.Request(call.method, _parsed(call.url), headers=headers, content=call.content)
        response = await self._transport.handle_async_request(request)
        body, parts = bytearray(), 0
        try:
            async for part in response.aiter_raw():
                body += part
                parts += 1
                if len(body) > ANSWER_LIMIT_BYTES:
                    raise _AnswerTooLargeError
                if parts % _PARTS_A_TURN == 0:
                    await asyncio.sleep(0)
        finally:
            await response.aclose()
        return Answer(
            status=response.status_code,
            headers=dict(response.headers),
            body=_decoded(bytes(body), response.headers.get("content-encoding", "")),
            received_at=self._now(),
        )

    def _is_usable(self, idle_limit_s: float) -> bool:
        """Whether a request may be written: connected, between two requests, undisturbed and not idle for long."""
        connection = self._transport.connection
        return (
            self._stream is not None
            and connection is not None
            and not connection.is_closed()
            and not self._stream.disturbed
            and self._clock() - self._idle_since <= idle_limit_s
        )

    def _drop(self) -> None:
        if self._stream is not None:
            self._stream.abort()
        self._stream = self._transport.connection = None


class _AnswerTooLargeError(Exception):
    """The answer is larger than any that a gateway gives."""


class _EncodedError(Exception):
    """The answer is compressed otherwise than it says, or in a way that nobody asked for."""


_parsed = functools.lru_cache(maxsize=1024)(httpx.URL)
"""An account's calls have the same URL over and over."""


def _decoded(body: bytes, encoding: str) -> bytes:
    """Return the answer's content; `identity` was asked for, but some servers compress all the same."""
    match encoding.strip().lower():
        case "" | "identity":
            return body
        case "gzip" | "x-gzip" | "deflate":
            unpacking = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)  # either header
            try:
                content = unpacking.decompress(body, ANSWER_LIMIT_BYTES + 1)
            except zlib.error as error:
                raise _EncodedError from error
            if len(content) > ANSWER_LIMIT_BYTES:
                raise _AnswerTooLargeError
            if not unpacking.eof:
                raise _EncodedError
            return content
        case _:
            raise _EncodedError


class _OneConnection(httpx.AsyncBaseTransport):
    """httpx's transport over the one connection that its line has opened."""

    def __init__(self) -> None:
        self.connection: httpcore.AsyncHTTP11Connection | None = None

    @property
    def has_more(self) -> bool:
        """Whether more came in one piece with the answer than the answer.

        The next call would be told it as its own. httpcore reads ahead and does not say so: its parser does.
        """
        return self.connection is not None and bool(self.connection._h11_state.trailing_data[0])  # noqa: SLF001

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.connection is None:
            raise httpcore.ConnectionNotAvailable
        url = request.url
        answer = await self.connection.handle_async_request(
            httpcore.Request(
                request.method,
                httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
                headers=request.headers.raw,
                content=request.stream,
            )
        )
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(answer))


class _Body(httpx.AsyncByteStream):
    """The answer's bytes as httpx reads them."""

    def __init__(self, answer: httpcore.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._answer.aiter_stream():
            yield part

    async def aclose(self) -> None:
        await self._answer.aclose()


def _in_words(error: OSError | UnicodeError) -> str:
    """Why connecting failed, without anything that the peer said."""
    match error:
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted ({error.verify_message})"
        case ssl.SSLError():
            return f"TLS failed ({error.reason})"
        case socket.gaierror():
            return "its name has no address"
        case ConnectionRefusedError():
            return "refused"
        case OSError(errno=int(number)):
            return os.strerror(number)
        case _:  # several addresses, each refused: asyncio joins the errors' texts
            return str(error) if isinstance(error, OSError) else "its name is malformed"
