"""What a test overhears: all that clients say to a Redis server, and a secret or a number in it, however spelt."""

import base64
import re
import socket
import threading
from collections.abc import Iterable

_NUMBER = re.compile(rb"(?<![\d.])(?:\+?91|0)?90000 ?0[01]\d{3}(?!\d)")
_BODY = re.compile(rb'body\\": \\"([^"\\]+)')


def spellings(secret: str) -> Iterable[bytes]:
    """Give the secret as it is and as base64 would hold it, wherever it begins there."""
    yield secret.encode()
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + secret.encode())
        yield encoded[-(-before * 4 // 3) + (before > 0) : -4]


def found(where: bytes, secrets: Iterable[str]) -> list[str]:
    """Return the secrets that stand somewhere in it, in any spelling."""
    return [secret for secret in secrets if any(spelling in where for spelling in spellings(secret))]


def shows_a_number(where: bytes) -> bool:
    """Tell whether a number of the tests' made-up people (`stack.people`) stands somewhere in it."""
    return _NUMBER.search(where) is not None


def carried(said: bytes) -> tuple[list[bytes], list[bytes]]:
    """Return the Celery messages and events among what clients said, and the bodies that they carry, decoded."""
    messages = [line for line in said.split(b"\r\n") if b'"LPUSH" "bulksend"' in line or b"celeryev" in line]
    return messages, [base64.b64decode(body) for line in messages for body in _BODY.findall(line)]


class Monitor:
    """Everything that clients say to the Redis server, events included, from now on."""

    def __init__(self, port: int) -> None:
        self.heard = b""
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.sendall(b"MONITOR\r\n")
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while part := self._socket.recv(1 << 16):
            self.heard += part

    def close(self) -> bytes:
        """Listen no more; return all that was heard."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()
        return self.heard
