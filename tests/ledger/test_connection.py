"""The clients repeat nothing behind our back: a step's age must be known."""

import asyncio

import pytest

from worker.ledger.connection import connect_async
from worker.ledger.errors import LedgerUnavailable
from worker.ledger.settling import void
from worker.ledger.taking import Intent, take


async def deaf_server(commands):
    """Answer nothing but a connection's greeting; note each script call and hang up on it."""

    async def talk(reader, writer):
        while line := await reader.readline():
            words = []
            for _ in range(int(line[1:])):
                length = int((await reader.readline())[1:])
                words.append((await reader.readexactly(length + 2))[:-2].upper())
            if words[0] == b"EVALSHA":
                commands.append(words[0])
                break
            writer.write(b"%0\r\n" if words[0] == b"HELLO" else b"+OK\r\n")
        writer.close()
        await writer.wait_closed()

    return await asyncio.start_server(talk, "127.0.0.1", 0)


@pytest.mark.parametrize("confirm", [True, False])
def test_a_take_whose_connection_breaks_is_asked_once(confirm):
    intent = Intent(lookahead_us=0, lead_us=0, expiry_us=1, confirm=confirm, replicas=0)
    assert calls_of(lambda client: take(client, "main", "w", ["x"], intent)) == 1


def test_a_step_whose_connection_breaks_is_asked_once():
    assert calls_of(lambda client: void(client, "main", "x")) == 1


def calls_of(step):
    """Return how many script calls the server saw of one step that it hung up on."""

    async def run():
        commands = []
        async with await deaf_server(commands) as server:
            client = connect_async(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}")
            with pytest.raises(LedgerUnavailable):
                await step(client)
            await client.aclose()
        return len(commands)

    return asyncio.run(run())
