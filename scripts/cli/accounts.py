"""accounts: each account of the accounts file with the lane that the ledger has for it."""

from typing import Any

from config.account_models import Account
from config.accounts import load_accounts
from config.errors import ConfigError
from config.settings import load_settings
from scripts.cli.ledger import Ledger, open_ledger
from scripts.cli.options import Data, Json
from scripts.cli.output import emit
from scripts.cli.words import table
from worker.domain.ids import AccountName
from worker.intake.suggestions import did_you_mean
from worker.ledger.reading import Lane, lanes

_HEADING = ("account", "gateway", "state", "calls/s", "of", "in flight", "reason")


def accounts(*, data: Data = None, as_json: Json = False) -> None:
    """Show the accounts of the accounts file: rate now, ceiling, messages on the wire, held or open and why."""
    known = load_accounts(load_settings().accounts_file)
    with open_ledger(data) as ledger:
        documents = account_documents(ledger, known)
    emit(documents, table([_HEADING, *map(_line, documents)]), as_json=as_json)


def known_account(name: str) -> AccountName:
    """Return an account's name that somebody typed; raises `ConfigError` where the accounts file lacks it."""
    path = load_settings().accounts_file
    known = load_accounts(path)
    if name not in known:
        raise ConfigError(f"{path}: there is no account {name}{did_you_mean(name, known)}")
    return AccountName(name)


def account_documents(ledger: Ledger, known: dict[str, Account]) -> list[dict[str, Any]]:
    """Return what `accounts --json` prints: `rate` and `ceiling` are calls a second."""
    seen = lanes(ledger.client, [AccountName(name) for name in known])
    return [_document(account, seen[AccountName(name)]) for name, account in known.items()]


def _document(account: Account, lane: Lane) -> dict[str, Any]:
    ceiling = account.requests.per_second
    pause = lane.pause_reason if lane.paused_until else ""
    return {
        "name": account.name,
        "gateway": account.gateway,
        "state": "held" if lane.held else "open",
        "reason": lane.held or pause or (lane.problems[0] if lane.problems else None),
        "rate": round(ceiling * lane.speed, 6),
        "ceiling": round(ceiling, 6),
        "in_flight": lane.in_flight,
        "paused_until": lane.paused_until.isoformat() if lane.paused_until else None,
    }


def _line(document: dict[str, Any]) -> tuple[str, ...]:
    state = f"pauses until {document['paused_until'][:19]}" if document["paused_until"] else document["state"]
    rate, ceiling = f"{document['rate']:.4g}", f"{document['ceiling']:.4g}"
    fields = (document["name"], document["gateway"], state, rate, ceiling, str(document["in_flight"]))
    return (*fields, document["reason"] or "")
