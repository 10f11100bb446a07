"""Reads the body of a post within limits: neither a large nor a slow one costs more than they say."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

LINGER_S = 2.0
LINGER_BYTES = 16 * 1024 * 1024
"""How much of a refused body is thrown away, at the most, before its connection is closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """`body_bytes`: the most that is read. `body_s`: the whole body must be there so many seconds after its headers."""

    body_bytes: int = 1024 * 1024
    body_s: float = 10.0


class NotRead(Enum):
    """Why there is no body."""

    TOO_LARGE = "too large"
    TOO_SLOW = "too slow"
    CUT_OFF = "cut off"
    STOPPED = "the server stops"


async def read_body(request: Request, limits: Limits) -> bytes | NotRead:
    """Return the whole body, or why it was not read on; what Content-Length claims is believed only if too large."""
    claimed = request.headers.get("content-length", "")
    if claimed.isdecimal() and int(claimed) > limits.body_bytes:
        return NotRead.TOO_LARGE
    body = bytearray()
    try:
        async with asyncio.timeout(limits.body_s):
            async for piece in request.stream():
                body += piece
                if len(body) > limits.body_bytes:
                    return NotRead.TOO_LARGE
    except TimeoutError:
        return NotRead.TOO_SLOW
    except ClientDisconnect:
        return NotRead.CUT_OFF
    except asyncio.CancelledError:
        # The server gives up its last connections: whoever is at the other end shall try again, at another one.
        return NotRead.STOPPED
    return bytes(body)


def refusal(status: int) -> Response:
    """Return an empty answer after which the connection is closed."""
    return Response(status_code=status, headers={"connection": "close"})


class EarlyRefusal(Response):
    """The same in the middle of a body that may be large.

    Closed with unread bytes a connection is reset, and the answer may be lost with them: so the answer goes out at
    once, and then some of what is still coming is thrown away, as other servers do before they close.
    """

    def __init__(self, status: int) -> None:
        super().__init__(status_code=status, headers={"connection": "close"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        """Answer, throw away, end."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_S):
                await _throw_away(receive)
        await send({"type": "http.response.body", "body": b""})


async def _throw_away(receive: Receive) -> None:
    left = LINGER_BYTES
    while left > 0:
        message = await receive()
        if message["type"] != "http.request" or not message.get("more_body", False):
            return
        left -= len(message.get("body", b""))
