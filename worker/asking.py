"""Asks a gateway a question that changes nothing there: a GET over httpx, with one deadline and a limit on its answer.

Not for sends: their connections, slots and lost answers are `worker.line`'s. A question may simply be asked again.
"""

import asyncio
import time
from dataclasses import dataclass

import httpx

from worker.domain.answers import Answer, Call
from worker.line import trusted

LIMIT_BYTES = 1 << 20
"""A larger answer is not read to its end."""

AT_ONCE = 8
"""Questions on the wire at once."""

_OWN_HEADERS = {"User-Agent": "bulksend", "Accept-Encoding": "identity"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Unanswered:
    """No whole answer came; `reason` names the host and nothing of the question."""

    reason: str


def new_client() -> httpx.AsyncClient:
    """Make a client that goes where it is told and nowhere else: no redirect, no proxy or password of the machine's."""
    return httpx.AsyncClient(
        verify=trusted(),
        follow_redirects=False,
        trust_env=False,
        timeout=None,  # noqa: S113  (`ask` has one deadline for the whole)
        limits=httpx.Limits(max_connections=AT_ONCE),
    )


async def ask(client: httpx.AsyncClient, call: Call, *, timeout_s: float) -> Answer | Unanswered:
    """Put the question once and read the answer whole, all within `timeout_s`."""
    request = httpx.Request(call.method, call.url, headers={**_OWN_HEADERS, **call.headers})
    host = request.url.host
    try:
        async with asyncio.timeout(timeout_s):
            return await _exchange(client, request)
    except TimeoutError:
        return Unanswered(reason=f"no whole answer from {host} within {timeout_s:g} s")
    except httpx.ConnectError:
        return Unanswered(reason=f"no connection to {host}")
    except _TooLarge:
        return Unanswered(reason=f"the answer of {host} is larger than {LIMIT_BYTES} bytes")
    except httpx.HTTPError:
        return Unanswered(reason=f"{host} broke off or gave an answer that is not HTTP")


async def _exchange(client: httpx.AsyncClient, request: httpx.Request) -> Answer:
    response = await client.send(request, stream=True)
    try:
        body = bytearray()
        async for part in response.aiter_bytes():
            body += part
            if len(body) > LIMIT_BYTES:
                raise _TooLarge
    finally:
        await response.aclose()
    return Answer(
        status=response.status_code, headers=dict(response.headers), body=bytes(body), received_at=time.time()
    )


class _TooLarge(Exception):
    """The answer is larger than any that a gateway gives."""
