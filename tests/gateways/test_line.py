"""One connection, one request, once: what a line says of each way in which a call can fail.

The other side is a small server of bytes that counts the whole requests it read, so that each test can say how often
the request was on the wire.
"""

import asyncio
import gzip
import os
import shutil
import socket
import ssl
import struct
import subprocess
import time
import zlib
from contextlib import asynccontextmanager

import httpcore
import pytest

from worker.domain.answers import Answer, Call, Lost, Unsent
from worker.line import ANSWER_LIMIT_BYTES, CONNECT_LIMIT_S, Line, Opened, trusted
from worker.stream import Stream

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]"
CONTENT = b"Body=Hello"


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


class Server:
    """A listening socket; `behave(server, reader, writer)` plays one connection."""

    def __init__(self, behave):
        self.behave = behave
        self.requests = []
        self.connections = 0
        self.ended = asyncio.Event()
        self.release = asyncio.Event()
        self.origin = ""

    async def request(self, reader):
        """Read one request whole; head and content."""
        head = await reader.readuntil(b"\r\n\r\n")
        size = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        self.requests.append((head, await reader.readexactly(size)))

    async def play(self, reader, writer):
        self.connections += 1
        try:
            await self.behave(self, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()
            self.ended.set()


@asynccontextmanager
async def serving(behave, **options):
    server = Server(behave)
    listening = await asyncio.start_server(server.play, "127.0.0.1", 0, **options)
    scheme = "https" if "ssl" in options else "http"
    server.origin = f"{scheme}://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        server.release.set()
        listening.close()
        # What still plays ends with its connection; a server is not waited for from inside its own loop's last task.
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others)


@asynccontextmanager
async def opened(server, **options):
    line = Line(server.origin, **options)
    try:
        assert await line.open() == Opened()
        yield line
    finally:
        await line.close()


def call(server, content=CONTENT, path="/v1/send.json"):
    return Call(method="POST", url=server.origin + path, headers={"Authorization": "Basic c2VjcmV0"}, content=content)


def reset(writer):
    """Close so that the peer sees a reset."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def answering(server, reader, writer):
    while True:
        await server.request(reader)
        writer.write(OK)


async def until(condition):
    """Let the loop run until `condition()` holds; the test's own time limit ends a wait for nothing."""
    while not condition():  # noqa: ASYNC110  (what it waits for is a state, nobody announces it)
        await asyncio.sleep(0.001)


# The request, and connections that are used again


def test_the_request_is_written_as_given_and_once():
    async def main():
        async with serving(answering) as server, opened(server, now=lambda: 1234.5) as line:
            answer = await line.post(call(server), timeout_s=5)
            assert answer == Answer(status=200, headers={"content-length": "2"}, body=b"[]", received_at=1234.5)
            ((head, content),) = server.requests
            assert content == CONTENT
            host = server.origin.removeprefix("http://").encode()
            assert sorted(head.strip().split(b"\r\n")) == sorted(
                [
                    b"POST /v1/send.json HTTP/1.1",
                    b"Host: " + host,
                    b"Authorization: Basic c2VjcmV0",
                    b"User-Agent: bulksend",
                    b"Accept-Encoding: identity",
                    b"Content-Length: 10",
                ]
            )

    asyncio.run(main())


def test_one_connection_serves_many_calls():
    async def main():
        async with serving(answering) as server, opened(server) as line:
            for _ in range(20):
                assert isinstance(await line.post(call(server), timeout_s=5), Answer)
                assert await line.open() == Opened()
            assert (server.connections, len(server.requests)) == (1, 20)

    asyncio.run(main())


def test_a_large_request_and_a_large_answer_pass_whole():
    async def echoing(server, reader, writer):
        await server.request(reader)
        content = server.requests[-1][1]
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(content) + content)

    async def main():
        async with serving(echoing, limit=1 << 23) as server, opened(server) as line:
            content = bytes(range(256)) * 20_000
            answer = await line.post(call(server, content), timeout_s=20)
            assert answer.body == content

    asyncio.run(main())


def test_cookies_are_not_kept_and_redirects_not_followed():
    async def redirecting(server, reader, writer):
        while True:
            await server.request(reader)
            writer.write(b"HTTP/1.1 307 Go\r\nLocation: /there\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n")

    async def main():
        async with serving(redirecting) as server, opened(server) as line:
            for _ in range(2):
                answer = await line.post(call(server), timeout_s=5)
                assert (answer.status, answer.headers["location"]) == (307, "/there")
            assert len(server.requests) == 2
            assert not any(b"cookie" in head.lower() or b"/there" in head for head, _ in server.requests)

    asyncio.run(main())


def test_an_answer_that_says_close_ends_the_connection():
    async def closing(server, reader, writer):
        await server.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n[]")

    async def main():
        async with serving(closing) as server, opened(server) as line:
            for _ in range(3):
                await line.open()
                assert isinstance(await line.post(call(server), timeout_s=5), Answer)
            assert (server.connections, len(server.requests)) == (3, 3)

    asyncio.run(main())


@pytest.mark.parametrize(("idle_s", "reused"), [(0.0, True), (1.5, True), (1.6, False), (3600.0, False)])
def test_a_connection_that_was_idle_for_long_is_opened_anew(idle_s, reused):
    async def main():
        clock = Clock()
        async with serving(answering) as server, opened(server, clock=clock) as line:
            assert isinstance(await line.post(call(server), timeout_s=5), Answer)
            clock.now += idle_s
            assert await line.open() == Opened()
            assert isinstance(await line.post(call(server), timeout_s=5), Answer)
            assert (server.connections, len(server.requests)) == (1 if reused else 2, 2)

    asyncio.run(main())


def test_idleness_counts_from_the_last_answer():
    async def main():
        clock = Clock()
        async with serving(answering) as server, opened(server, clock=clock) as line:
            for _ in range(5):
                clock.now += 1.0
                assert await line.open() == Opened()
                assert isinstance(await line.post(call(server), timeout_s=5), Answer)
            assert server.connections == 1

    asyncio.run(main())


@pytest.mark.parametrize(("idle_s", "requests"), [(2.0, 1), (2.01, 0)])
def test_no_request_goes_out_on_a_connection_idle_for_more_than_two_seconds(idle_s, requests):
    async def main():
        clock = Clock()
        async with serving(answering) as server, opened(server, clock=clock) as line:
            clock.now += idle_s
            assert isinstance(await line.post(call(server), timeout_s=5), Answer if requests else Unsent)
            assert len(server.requests) == requests

    asyncio.run(main())


def test_a_server_that_closes_idle_connections_costs_no_request():
    async def impatient(server, reader, writer):
        await server.request(reader)
        writer.write(OK)

    async def main():
        async with serving(impatient) as server, opened(server) as line:
            for calls in range(1, 6):
                assert isinstance(await line.post(call(server), timeout_s=5), Answer)
                await until(lambda: line._stream.disturbed)
                assert await line.open() == Opened()
                assert (server.connections, len(server.requests)) == (calls + 1, calls)

    asyncio.run(main())


def test_a_connection_closed_after_opening_is_found_out_before_the_request():
    async def hanging_up(server, reader, writer):
        pass

    async def main():
        async with serving(hanging_up) as server, opened(server) as line:
            await until(lambda: line._stream.disturbed)
            assert isinstance(await line.post(call(server), timeout_s=5), Unsent)
            assert server.requests == []

    asyncio.run(main())


def test_a_connection_on_which_the_server_spoke_unasked_is_not_used():
    async def talking(server, reader, writer):
        writer.write(b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n")
        await server.release.wait()

    async def main():
        async with serving(talking) as server, opened(server) as line:
            await until(lambda: line._stream.disturbed)
            assert isinstance(await line.post(call(server), timeout_s=5), Unsent)

    asyncio.run(main())


@pytest.mark.parametrize(
    "first",
    [
        OK + b"\r\n",  # a common fault of scripts behind a web server
        OK + b"HTTP/1.1 400 Bad Request\r\nContent-Length: 2\r\n\r\n{}",
        OK + b"HTTP/1.0 408 Request Time-out\r\nConnection: close\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n" + b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n" + OK,
    ],
    ids=["line end", "refusal", "time-out", "after an answer without content", "after chunks"],
)
def test_what_comes_in_one_piece_with_an_answer_is_never_the_next_calls(first):
    async def says_too_much(server, reader, writer):
        if server.connections > 1:
            await answering(server, reader, writer)
        await server.request(reader)
        writer.write(first)
        await reader.read()

    async def main():
        async with serving(says_too_much) as server, opened(server) as line:
            assert (await line.post(call(server), timeout_s=5)).status in {200, 204}
            assert not line.is_open
            assert await line.open() == Opened()
            assert (await line.post(call(server), timeout_s=5)).body == b"[]"
            assert (server.connections, len(server.requests)) == (2, 2)

    asyncio.run(main())


@pytest.mark.parametrize("place", ["http://[::bad", "mailto:x", "http://xn--/", "http://h:port/", "\x01"])
def test_nobody_looks_where_a_redirect_would_lead(place):
    async def redirecting(server, reader, writer):
        await server.request(reader)
        writer.write(b"HTTP/1.1 302 Found\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % place.encode())

    async def main():
        async with serving(redirecting) as server, opened(server) as line:
            reply = await line.post(call(server), timeout_s=5)
            assert reply.status == 302

    asyncio.run(main())


def test_a_request_that_can_not_be_written_is_an_error_of_which_no_byte_leaves():
    async def main():
        async with serving(answering) as server, opened(server) as line:
            wrong = Call(method="POST", url=server.origin, headers={"apikey": "\u201ckey\u201d"}, content=b"")
            with pytest.raises(UnicodeEncodeError):
                await line.post(wrong, timeout_s=5)
            assert (line.written_bytes, line.is_open, server.requests) == (0, False, [])

    asyncio.run(main())


def test_a_server_that_talks_on_and_on_is_hung_up_on():
    async def flooding(server, reader, writer):
        while True:
            writer.write(bytes(1 << 20))
            await writer.drain()

    async def main():
        async with serving(flooding) as server, opened(server) as line:
            await server.ended.wait()
            assert len(line._stream._received) < 20 << 20
            assert isinstance(await line.post(call(server), timeout_s=5), Unsent)

    asyncio.run(main())


def test_a_connection_that_breaks_just_before_the_first_byte_is_unsent():
    async def main():
        async with serving(answering) as server, opened(server) as line:
            # After `post` has looked at the connection and before it writes: the loop's next turn.
            asyncio.get_running_loop().call_soon(line._stream.connection_lost, ConnectionResetError())
            assert isinstance(await line.post(call(server), timeout_s=5), Unsent)
            await server.ended.wait()
            assert server.requests == []

    asyncio.run(main())


def test_a_line_that_was_never_opened_sends_nothing():
    async def main():
        async with serving(answering) as server:
            line = Line(server.origin)
            assert isinstance(await line.post(call(server), timeout_s=5), Unsent)
            await line.close()
            assert server.connections == 0

    asyncio.run(main())


# Failures after the first byte: lost, and on the wire once


async def resets_before_reading(server, reader, writer):
    await reader.read(1)
    reset(writer)


async def resets_after_reading(server, reader, writer):
    await server.request(reader)
    reset(writer)


async def closes_without_answer(server, reader, writer):
    await server.request(reader)


async def truncates_the_body(server, reader, writer):
    await server.request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n[")


async def truncates_the_head(server, reader, writer):
    await server.request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-")


async def talks_garbage(server, reader, writer):
    await server.request(reader)
    writer.write(b"\x00\x01garbage 09000000001\r\n\r\n" * 3)


async def claims_to_be_zipped(server, reader, writer):
    await server.request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope")


async def is_zipped_twice(server, reader, writer):
    await server.request(reader)
    body = gzip.compress(gzip.compress(b"[]"))
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip, gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


async def swells(server, reader, writer):
    await server.request(reader)
    body = gzip.compress(bytes(4 * ANSWER_LIMIT_BYTES))
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


async def never_stops(server, reader, writer):
    await server.request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (2 * ANSWER_LIMIT_BYTES))
    while True:
        writer.write(bytes(1 << 20))
        await writer.drain()


async def hangs(server, reader, writer):
    await server.request(reader)
    await reader.read()


async def drips(server, reader, writer):
    await server.request(reader)
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.01)


async def hangs_on_the_request(server, reader, writer):
    await server.release.wait()


@pytest.mark.parametrize(
    ("behave", "requests"),
    [
        (resets_before_reading, 0),
        (resets_after_reading, 1),
        (closes_without_answer, 1),
        (truncates_the_body, 1),
        (truncates_the_head, 1),
        (talks_garbage, 1),
        (claims_to_be_zipped, 1),
        (is_zipped_twice, 1),
        (swells, 1),
        (never_stops, 1),
    ],
)
def test_a_failure_after_the_first_byte_is_lost_and_not_repeated(behave, requests):
    async def main():
        async with serving(behave) as server, opened(server) as line:
            lost = await line.post(call(server), timeout_s=30)
            assert isinstance(lost, Lost)
            assert "90000" not in lost.reason
            assert isinstance(await line.post(call(server), timeout_s=5), Unsent)
            await server.ended.wait()
            assert (server.connections, len(server.requests)) == (1, requests)

    asyncio.run(main())


@pytest.mark.parametrize(
    ("behave", "content", "requests"),
    [(hangs, CONTENT, 1), (drips, CONTENT, 1), (hangs_on_the_request, bytes(32 << 20), 0)],
)
def test_the_deadline_holds_for_the_call_as_a_whole(behave, content, requests):
    async def main():
        async with serving(behave) as server, opened(server) as line:
            lost = await line.post(call(server, content), timeout_s=0.2)
            assert lost == Lost(reason="no whole answer from 127.0.0.1 within 0.2 s")
            assert isinstance(await line.post(call(server), timeout_s=5), Unsent)
            assert (server.connections, len(server.requests)) == (1, requests)

    asyncio.run(main())


@pytest.mark.parametrize("compress", [gzip.compress, zlib.compress], ids=["gzip", "deflate"])
def test_an_answer_that_is_compressed_unasked_is_read(compress):
    async def compressing(server, reader, writer):
        await server.request(reader)
        body, name = compress(b"[1]"), b"gzip" if compress is gzip.compress else b"deflate"
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Encoding: %b\r\nContent-Length: %d\r\n\r\n" % (name, len(body)) + body
        )

    async def main():
        async with serving(compressing) as server, opened(server) as line:
            assert (await line.post(call(server), timeout_s=5)).body == b"[1]"

    asyncio.run(main())


def test_an_answer_that_came_while_the_process_slept_past_the_deadline_is_read():
    async def main():
        async with serving(answering) as server, opened(server) as line:
            posting = asyncio.create_task(line.post(call(server), timeout_s=0.2))
            await until(lambda: server.requests)
            time.sleep(0.5)  # noqa: ASYNC251  (the whole process sleeps)
            assert isinstance(await posting, Answer)

    asyncio.run(main())


def test_an_answer_in_many_small_pieces_leaves_the_loop_to_others():
    async def crumbles(server, reader, writer):
        await server.request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        writer.write(b"1\r\nx\r\n" * 5_000 + b"0\r\n\r\n")

    async def main():
        turns = 0

        async def counting():
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        async with serving(crumbles) as server, opened(server) as line:
            others = asyncio.create_task(counting())
            await until(lambda: turns)
            answer = await line.post(call(server), timeout_s=30)
            others.cancel()
            assert answer.body == b"x" * 5_000
            assert turns > 150

    asyncio.run(main())


def test_a_peer_that_sends_anything_but_an_answer_for_ever_is_given_up():
    async def flood(stream):
        while True:
            stream.data_received(b"HTTP/1.1 102 Processing\r\n\r\n" * 10_000)
            await stream.read(1 << 20)

    with pytest.raises(httpcore.ReadError):
        asyncio.run(flood(Stream()))


def test_after_a_lost_call_the_line_opens_a_new_connection():
    async def once_lost(server, reader, writer):
        if server.connections > 1:
            await answering(server, reader, writer)
        await server.request(reader)

    async def main():
        async with serving(once_lost) as server, opened(server) as line:
            assert isinstance(await line.post(call(server), timeout_s=5), Lost)
            assert await line.open() == Opened()
            assert isinstance(await line.post(call(server), timeout_s=5), Answer)
            assert (server.connections, len(server.requests)) == (2, 2)

    asyncio.run(main())


def test_a_cancelled_call_closes_its_connection():
    async def main():
        async with serving(hangs) as server, opened(server) as line:
            task = asyncio.create_task(line.post(call(server), timeout_s=30))
            await until(lambda: server.requests)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await server.ended.wait()
            assert isinstance(await line.post(call(server), timeout_s=5), Unsent)
            assert len(server.requests) == 1

    asyncio.run(main())


# Connecting


def test_a_refused_connection_is_unsent():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: the port refuses
        port = taken.getsockname()[1]

        async def main():
            line = Line(f"http://127.0.0.1:{port}")
            assert await line.open() == Unsent(reason=f"no connection to 127.0.0.1:{port}: refused")
            await line.close()

        asyncio.run(main())


def test_a_name_without_an_address_is_unsent(monkeypatch):
    async def main():
        async def no_address(*_args, **_options):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", no_address)
        line = Line("https://sms.invalid")
        assert await line.open() == Unsent(reason="no connection to sms.invalid:443: its name has no address")
        await line.close()

    asyncio.run(main())


def test_connecting_has_a_deadline_of_its_own():
    async def main():
        async with serving(hangs_on_the_request) as server:
            # A server that accepts and does not shake hands.
            line = Line(server.origin.replace("http:", "https:"), connect_timeout_s=0.2)
            unsent = await line.open()
            assert unsent.reason.endswith("within 0.2 s")
            await line.close()
        assert Line("https://sms.invalid", connect_timeout_s=600)._connect_timeout_s == CONNECT_LIMIT_S

    asyncio.run(main())


def test_a_server_without_tls_is_unsent():
    async def not_tls(server, reader, writer):
        await reader.read(1)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async def main():
        async with serving(not_tls) as server:
            line = Line(server.origin.replace("http:", "https:"))
            unsent = await line.open()
            assert isinstance(unsent, Unsent)
            assert "TLS failed" in unsent.reason
            await line.close()

    asyncio.run(main())


def test_a_cancelled_open_leaves_no_connection():
    async def main():
        async with serving(hangs_on_the_request) as server:
            line = Line(server.origin.replace("http:", "https:"))
            task = asyncio.create_task(line.open())
            await until(lambda: server.connections)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert isinstance(await line.post(call(server), timeout_s=5), Unsent)
            await line.close()

    asyncio.run(main())


# TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A self-signed certificate for 127.0.0.1 with its key, in one file."""
    openssl = shutil.which("openssl")
    if openssl is None:
        if os.environ.get("CI"):
            pytest.fail("openssl is missing")
        pytest.skip("openssl is missing")
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=gateway"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run(
        [*command, *names, "-keyout", path, "-out", path.with_suffix(".crt")],
        check=True,
        capture_output=True,
    )
    path.write_bytes(path.read_bytes() + path.with_suffix(".crt").read_bytes())
    return path


@pytest.fixture
def server_tls(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def trusting(certificate, monkeypatch):
    """The process trusts the certificate for the length of a test."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    trusted.cache_clear()
    yield
    trusted.cache_clear()


@pytest.mark.usefixtures("trusting")
def test_over_tls_a_connection_is_reused_before_and_after_its_first_call(server_tls):
    async def main():
        async with serving(answering, ssl=server_tls) as server, opened(server) as line:
            await asyncio.sleep(0.02)  # the server's session tickets come after the handshake
            for _ in range(3):
                assert await line.open() == Opened()
                assert isinstance(await line.post(call(server), timeout_s=5), Answer)
            assert (server.connections, len(server.requests)) == (1, 3)

    asyncio.run(main())


@pytest.mark.usefixtures("trusting")
def test_over_tls_a_connection_that_the_server_closed_is_not_used(server_tls):
    async def impatient(server, reader, writer):
        await server.request(reader)
        writer.write(OK)

    async def main():
        async with serving(impatient, ssl=server_tls) as server, opened(server) as line:
            assert isinstance(await line.post(call(server), timeout_s=5), Answer)
            await until(lambda: line._stream.disturbed)
            assert isinstance(await line.post(call(server), timeout_s=5), Unsent)
            assert await line.open() == Opened()
            assert isinstance(await line.post(call(server), timeout_s=5), Answer)
            assert (server.connections, len(server.requests)) == (2, 2)

    asyncio.run(main())


@pytest.mark.usefixtures("trusting")
@pytest.mark.parametrize("behave", [closes_without_answer, truncates_the_body, resets_after_reading])
def test_over_tls_a_failure_after_the_first_byte_is_lost(server_tls, behave):
    async def main():
        async with serving(behave, ssl=server_tls) as server, opened(server) as line:
            assert isinstance(await line.post(call(server), timeout_s=5), Lost)
            assert (server.connections, len(server.requests)) == (1, 1)

    asyncio.run(main())


def test_a_certificate_that_is_not_trusted_is_unsent(server_tls):
    async def main():
        assert trusted().verify_mode == ssl.CERT_REQUIRED
        async with serving(answering, ssl=server_tls) as server:
            line = Line(server.origin)
            unsent = await line.open()
            assert isinstance(unsent, Unsent)
            assert "its certificate is not trusted" in unsent.reason
            await line.close()
            assert server.requests == []

    asyncio.run(main())
