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
from worker.ledger.seats import Ceiling
from worker.roster import ceiling_of

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
    """Return what `accounts --json` prints: `rate` and `ceiling` are calls a second.

    The ceiling is the lowest of all live workers', as it holds for the lane; without a worker it is the file's.
    """
    jitter_s = load_settings().jitter_ms / 1000
    seen = lanes(ledger.client, [AccountName(name) for name in known])
    return [
        _document(account, ceiling_of(account, jitter_s), seen[AccountName(name)]) for name, account in known.items()
    ]


def _document(account: Account, own: Ceiling, lane: Lane) -> dict[str, Any]:
    ceiling = account.requests.per_second * own.call_us / max([each.call_us for each in lane.ceilings] or [own.call_us])
    pause = lane.pause_reason if lane.paused_until else ""
    reasons = [lane.hold or pause or next(iter(lane.problems), ""), _disagreement(own, lane)]
    return {
        "name": account.name,
        "gateway": account.gateway,
        "state": "held" if lane.held else "open",
        "reason": "; ".join(filter(None, reasons)) or None,
        "rate": round(ceiling * lane.speed, 6),
        "ceiling": round(ceiling, 6),
        "in_flight": lane.in_flight,
        "paused_until": lane.paused_until.isoformat() if lane.paused_until else None,
        "probe_at": lane.probe_at.isoformat() if lane.probe_at else None,
    }


def _disagreement(own: Ceiling, lane: Lane) -> str:
    """Say whether the workers' files differ from each other or from the one that is read here."""
    if len(lane.ceilings) > 1:
        return "the workers' accounts files disagree: the lowest ceiling holds"
    if lane.ceilings and Ceiling.read(own.line()) not in lane.ceilings:
        return "the workers' accounts file is not this one: its ceiling holds"
    return ""


def _line(document: dict[str, Any]) -> tuple[str, ...]:
    state = f"pauses until {document['paused_until'][:19]}" if document["paused_until"] else document["state"]
    rate, ceiling = f"{document['rate']:.4g}", f"{document['ceiling']:.4g}"
    fields = (document["name"], document["gateway"], state, rate, ceiling, str(document["in_flight"]))
    return (*fields, document["reason"] or "")
