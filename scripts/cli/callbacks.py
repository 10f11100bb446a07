"""callbacks: the service that gateways report to, in the foreground."""

import json
import os
from typing import Annotated

import typer

from config.accounts import load_accounts
from config.errors import ConfigError
from config.logging import configure_logging
from config.settings import NO_PUBLIC_URL, Settings, load_settings
from scripts.cli.failed import CommandFailed
from scripts.cli.ledger import open_ledger
from scripts.cli.options import Data, Host, Json
from scripts.cli.output import emit
from scripts.cli.words import table
from worker.callback_server import bind, serve, url_of
from worker.callbacks import make_application
from worker.domain.callback_token import account_url
from worker.domain.ids import AccountName
from worker.gateways.reports import READERS


def callbacks(
    *,
    host: Host = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.", min=0, max=65535)] = 8080,
    urls: Annotated[
        bool,
        typer.Option(
            "--urls",
            help="Print the URL of each account that gets reports, for a gateway that knows only one; and end.",
        ),
    ] = False,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Take in delivery reports, until SIGTERM or Ctrl-C; workers apply them.

    Gateways must reach it under BULKSEND_PUBLIC_URL, through a proxy that ends TLS. Its /healthz and /metrics are for
    you alone: let the proxy pass /reports/ only. Start as many as you like.
    """
    settings = load_settings()
    settings.callback_secrets  # noqa: B018 - said before anything is started
    if urls:
        _print_urls(settings, as_json=as_json)
        return
    configure_logging(settings)
    with open_ledger(data):  # which BULKSEND_REDIS_URL names from here on
        _serve(host, port, as_json=as_json)


def _print_urls(settings: Settings, *, as_json: bool) -> None:
    if settings.public_url is None:
        raise ConfigError(NO_PUBLIC_URL)
    secret = settings.callback_secrets[0]
    names = [name for name, account in load_accounts(settings.accounts_file).items() if account.gateway in READERS]
    found = [(name, account_url(settings.public_url, secret, AccountName(name))) for name in names]
    documents = [{"account": name, "url": url} for name, url in found]
    nothing = [f"no account in {settings.accounts_file} is at a gateway that sends delivery reports"]
    emit(documents, table([("account", "url"), *found]) if found else nothing, as_json=as_json)


def _serve(host: str, port: int, *, as_json: bool) -> None:
    try:
        listening = bind(host, port)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        raise CommandFailed(f"cannot listen on {host}:{port}: {reason}") from None
    with listening:
        url = url_of(listening)
        said = json.dumps({"listening": url}) if as_json else f"listening on {url}"
        serve(make_application(load_settings()), listening, lambda: print(said, flush=True))
