"""The command: which measurements, how long, and where the JSON goes."""

import enum
import json
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from scripts.bench import callbacks, growth, lanes, produce, profile_send, reaction, send, suppression, throttle
from scripts.bench.figures import FULL, QUICK, Figure
from scripts.bench.machine import facts
from scripts.bench.processes import opened
from scripts.bench.report import show
from scripts.bench.usual import compare

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)

WIDTH = 140


class Name(enum.StrEnum):
    """A measurement."""

    SEND = "send"
    PROFILE = "profile"
    USUAL = "usual"
    PRODUCE = "produce"
    GROWTH = "growth"
    LANES = "lanes"
    REACTION = "reaction"
    CALLBACKS = "callbacks"
    SUPPRESSION = "suppression"
    THROTTLE = "throttle"


_MINUTES = {
    Name.SEND: "2",
    Name.PROFILE: "1/4",
    Name.USUAL: "4",
    Name.PRODUCE: "1",
    Name.GROWTH: "4",
    Name.LANES: "3",
    Name.REACTION: "1",
    Name.CALLBACKS: "4",
    Name.SUPPRESSION: "2",
    Name.THROTTLE: "12",
}
"""How long each takes in full, on two cores of a small machine."""

_FIGURES = {
    Name.SEND: send.measure,
    Name.USUAL: compare.measure,
    Name.PRODUCE: produce.measure,
    Name.GROWTH: growth.measure,
    Name.LANES: lanes.measure,
    Name.REACTION: reaction.measure,
    Name.CALLBACKS: callbacks.measure,
    Name.SUPPRESSION: suppression.measure,
    Name.THROTTLE: throttle.measure,
}


_WHICH = "Which measurements, and about how many minutes each takes: " + ", ".join(
    f"{name} {minutes}" for name, minutes in _MINUTES.items()
)


@app.command()
def bench(
    *,
    names: Annotated[list[Name] | None, typer.Argument(help=_WHICH)] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="One round, mostly shorter: a look, some six minutes.")
    ] = False,
    into: Annotated[Path, typer.Option("--json", help="Where the figures go as JSON.")] = Path("bench.json"),
) -> None:
    """Measures on this machine, with real processes, against the simulator; no figure leaves loopback.

    Every figure is a ratio, of two things measured in the same run or to what is asked for. Without names all are
    made, which takes half an hour.
    """
    plan = QUICK if quick else FULL
    chosen = [name for name in Name if not names or name in names]
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)  # a table in a file is not cut to the width of a terminal
    figures: list[Figure] = []
    profile: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="bulksend-bench-") as directory, opened(Path(directory)) as stage:
        server: Any = stage.client.info("server")
        machine = facts(Path(directory)) | {"redis_server": server.get("valkey_version", server["redis_version"])}
        for name in chosen:
            if name is Name.PROFILE:
                profile = profile_send.measure(stage, plan)
            else:
                for figure in _FIGURES[name](stage, plan):
                    figures.append(figure)
                    console.print(f"{name}: {figure.what}: {figure.ratio.text(3)} of {figure.of}", highlight=False)
            stage.strike()
    show(console, machine, figures, profile)
    document = {
        "quick": quick,
        "machine": machine,
        "figures": [figure.as_json() for figure in figures],
        "profile": profile,
    }
    into.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    console.print(f"written to {into}")
