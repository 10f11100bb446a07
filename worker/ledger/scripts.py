"""Lua scripts by name: read once, joined from their parts, called by hash and loaded where the server lacks them."""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Protocol

import redis
from redis.exceptions import NoScriptError

from worker.ledger.errors import translated

Argument = str | bytes | int | float


class Caller(Protocol):
    """What a script needs of an asyncio client: redis-py's own, or `Gathering` over it."""

    def evalsha(self, sha: str, numkeys: int, *keys_and_args: Any) -> Any:  # noqa: ANN401 - as the driver's
        """Run a script by its hash."""

    def eval(self, script: str, numkeys: int, *keys_and_args: Any) -> Any:  # noqa: ANN401 - as the driver's
        """Run a script by its text."""


@dataclass(frozen=True, slots=True)
class Script:
    """One script of the ledger; `text` has its joined parts in front."""

    name: str
    text: str
    sha: str

    def call(self, client: redis.Redis, keys: Sequence[str], args: Sequence[Argument]) -> Any:  # noqa: ANN401 - the caller parses it
        """Run on a blocking client and return the raw reply; raises `LedgerError`."""
        with translated():
            try:
                return client.evalsha(self.sha, len(keys), *keys, *args)
            except NoScriptError:
                return client.eval(self.text, len(keys), *keys, *args)

    async def acall(self, client: Caller, keys: Sequence[str], args: Sequence[Argument]) -> Any:  # noqa: ANN401 - the caller parses it
        """Run on an asyncio client and return the raw reply; raises `LedgerError`."""
        with translated():
            try:
                return await client.evalsha(self.sha, len(keys), *keys, *args)
            except NoScriptError:
                return await client.eval(self.text, len(keys), *keys, *args)


def _read(name: str) -> str:
    return resources.files("worker.ledger").joinpath("lua", f"{name}.lua").read_text(encoding="utf-8")


@cache
def load(name: str) -> Script:
    """Return the script `lua/NAME.lua`, with the files that its `-- joined:` line names put before it."""
    own = _read(name)
    joined = re.search(r"^-- joined: (.+)$", own, flags=re.MULTILINE)
    parts = [_read(part) for part in joined.group(1).split()] if joined else []
    text = "\n".join([*parts, own])
    # The hash is Redis's own name for a script, not a safeguard.
    return Script(name, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())
