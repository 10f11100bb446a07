"""The options and arguments that several commands share, under one name and with one help text."""

from pathlib import Path
from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document; words for people go to standard error.")]

Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="Use the embedded Redis with its data in DIR, instead of BULKSEND_REDIS_URL.",
        file_okay=False,
    ),
]

DataOrDefault = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="Use the embedded Redis with its data in DIR (default: BULKSEND_REDIS_URL; unset: .bulksend).",
        file_okay=False,
    ),
]

CampaignFile = Annotated[Path, typer.Argument(metavar="CAMPAIGN.toml", help="The campaign file.")]

NewId = Annotated[
    str | None,
    typer.Option(
        "--id",
        metavar="ID",
        help="The campaign's id (default: its name and a random suffix). The id of a campaign that is there goes on "
        "with it: nobody is queued or messaged twice.",
    ),
]


def _named(file: str | None) -> str | None:
    """Refuse a name that is empty, as of a shell variable that is not set: it would mean the campaign's own file."""
    if file == "":
        raise typer.BadParameter("it is empty: name a file, or leave the option out")
    return file


Recipients = Annotated[
    str | None,
    typer.Option(
        "--recipients",
        metavar="FILE",
        help="Read these instead of the file's own: .csv or .jsonl (each also .gz), or .xlsx; - is stdin.",
        callback=_named,
    ),
]

Ascii = Annotated[
    bool,
    typer.Option(
        "--ascii",
        help="Replace curly quotes, dashes and the like where that keeps a text in the cheap alphabet: "
        "ascii = true of the campaign file.",
    ),
]


def _reachable(host: str) -> str:
    """Refuse what no socket can be bound to, before one says so in its own way."""
    try:
        host.encode("idna")
    except UnicodeError:
        raise typer.BadParameter(f"{host!r} is no address and no name of a host") from None
    return host


Host = Annotated[str, typer.Option("--host", help="Address to listen on.", callback=_reachable)]

KnownId = Annotated[str, typer.Argument(metavar="ID", help="The campaign's id.")]
