"""The accounts that this process can serve: the accounts file as it is now, and one adapter an account.

The file may be edited while workers run: it is read again when it changes. Secrets are resolved here, in the worker,
and go nowhere but into the adapter.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from aiolimiter import AsyncLimiter

from config.account_models import Account
from config.accounts import load_accounts
from config.credentials import Credentials
from config.errors import ConfigError
from config.settings import load_environ
from worker.domain.ids import AccountName
from worker.domain.throttle import MICROSECONDS, UNHURRIED_PER_SECOND, spacing_us, tolerance_s
from worker.gateways.protocol import Gateway
from worker.gateways.registry import build
from worker.ledger.seats import Ceiling


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """An account with everything that serving it needs.

    `late_s`: how late after its slot a call may go. `is_unhurried`: the ceiling is beyond what processes reach.
    """

    account: Account
    credentials: Credentials
    gateway: Gateway
    fuse: AsyncLimiter
    late_s: float
    is_unhurried: bool


class NoAccountError(ConfigError):
    """The accounts file can be read, and the account does not stand in it."""


class Roster:
    """One accounts file, read when it has changed."""

    def __init__(self, path: Path, jitter_s: float) -> None:
        """Name the file; nothing is read yet."""
        self._path = path
        self._jitter_s = jitter_s
        self._version: tuple[int, int] | None = None
        self._accounts: dict[str, Account] = {}
        self._served: dict[str, Served] = {}

    def version(self) -> tuple[int, int] | None:
        """Return what tells one state of the file from another, without reading it; `None` where there is none."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size

    def accounts(self) -> dict[str, Account]:
        """Return the accounts of the file; raises `ConfigError` where it is wrong."""
        version = self.version()
        if version is None or version != self._version:
            self._version, self._accounts, self._served = None, {}, {}
            self._accounts = load_accounts(self._path)
            self._version = version
        return self._accounts

    def serve(self, name: AccountName) -> Served:
        """Return what serving the account needs; raises `ConfigError` where a secret of it is missing, or it is."""
        account = self.accounts().get(name)
        if account is None:
            raise NoAccountError(f"{self._path} of the worker on {os.uname().nodename} has no account {name}")
        # Read again each time: a secret mended in `.env` counts without a new accounts file.
        credentials = account.credentials(load_environ())
        served = self._served.get(name)
        if served is None or served.credentials != credentials:
            rate = account.requests
            late_s = tolerance_s(rate.per_second, rate.window_s, self._jitter_s)
            spacing_s = spacing_us(rate.per_second, rate.window_s, self._jitter_s) / MICROSECONDS
            # A call may be late for its slot by so much and the next one be on time: the fuse allows just that.
            burst = 1 + late_s / spacing_s
            served = Served(
                account=account,
                credentials=credentials,
                gateway=build(account, credentials),
                # Not AsyncLimiter(rate, 1): that lets twice the rate through in its worst second.
                fuse=AsyncLimiter(burst, burst * spacing_s),
                late_s=late_s,
                is_unhurried=rate.per_second > UNHURRIED_PER_SECOND,
            )
            self._served[name] = served
        return served

    def ceilings(self, names: Iterable[AccountName] | None = None) -> dict[AccountName, Ceiling]:
        """Return what the file allows each account, or those named, as spacing; `ConfigError` where it is wrong."""
        accounts = self.accounts()
        chosen = accounts if names is None else names
        return {AccountName(name): ceiling_of(accounts[name], self._jitter_s) for name in chosen}

    def longest_timeout_s(self) -> float:
        """Return the longest that a call of any account may take; 30 s where the file can not be read."""
        try:
            return max(account.timeout for account in self.accounts().values())
        except ConfigError:
            return 30.0


def ceiling_of(account: Account, jitter_s: float) -> Ceiling:
    """Return what an account of the file allows, as spacing."""
    calls, messages = account.requests, account.messages
    return Ceiling(
        call_us=spacing_us(calls.per_second, calls.window_s, jitter_s),
        message_us=spacing_us(messages.per_second, messages.window_s, jitter_s) if messages else 0.0,
        concurrency=account.concurrency,
    )
