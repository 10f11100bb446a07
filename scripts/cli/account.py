"""account hold and account open: an operator's word to one account."""

from typing import Annotated

import typer

from config.accounts import load_accounts
from config.logging import configure_logging
from config.settings import load_settings
from scripts.cli.accounts import account_documents, known_account
from scripts.cli.application import SETTINGS
from scripts.cli.control import by_whom
from scripts.cli.ledger import Ledger, open_ledger
from scripts.cli.options import Data, Json
from scripts.cli.output import emit
from tasks.ring import ring
from worker.domain.ids import AccountName
from worker.ledger import operating

app = typer.Typer(help="Hold one account, or open it again.", no_args_is_help=True, **SETTINGS)

Name = Annotated[str, typer.Argument(metavar="NAME", help="The account's name in the accounts file.")]


@app.command()
def hold(
    name: Name,
    *,
    why: Annotated[str, typer.Option("--why", metavar="TEXT", help="The reason that others will read.")],
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Let nothing more go out through an account until it is opened."""
    account = known_account(name)
    with open_ledger(data) as ledger:
        operating.hold_account(ledger.client, account, by_whom(why))
        _show(ledger, account, as_json=as_json)


@app.command(name="open")
def open_(name: Name, *, data: Data = None, as_json: Json = False) -> None:
    """Let an account send again, at once: its hold and any pause end; a rate that was halved still creeps back."""
    account = known_account(name)
    with open_ledger(data) as ledger:
        configure_logging(load_settings())
        operating.open_account(ledger.client, account)
        ring([account])
        _show(ledger, account, as_json=as_json)


def _show(ledger: Ledger, account: AccountName, *, as_json: bool) -> None:
    known = load_accounts(load_settings().accounts_file)
    (document,) = account_documents(ledger, {account: known[account]})
    words = f"{account}: {document['state']}" + (f" ({document['reason']})" if document["reason"] else "")
    emit(document, [words], as_json=as_json)
