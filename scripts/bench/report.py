"""The one table, and what stands under it: everything that is also in the JSON, for people."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from scripts.bench.figures import Figure

NOISY_CORES = 0.25
"""Figures made while others used more than this are marked: compare nothing with them."""


def show(console: Console, machine: Mapping[str, Any], figures: Sequence[Figure], profile: Mapping[str, Any]) -> None:
    """Print the machine, the table and the profile."""
    console.print(_about(machine), soft_wrap=True, highlight=False)
    if figures:
        console.print(_table(figures))
    for figure in figures:
        if figure.facts:
            words = ", ".join(f"{name} {_short(fact)}" for name, fact in figure.facts.items())
            console.print(f"{figure.measurement}, {figure.what}: {words}", soft_wrap=True, highlight=False)
    if profile:
        _show_profile(console, profile)


def _about(machine: Mapping[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in machine["versions"].items())
    load = " ".join(f"{one:.2f}" for one in machine["load"])
    return (
        f"{machine['cores']} cores ({machine['machine']}, {machine['system']}), load {load}, "
        f"sync to disk {machine['sync_ms']:.2f} ms, Redis {machine['redis_server']} with appendfsync always\n"
        f"Python {machine['python']}, {versions}"
    )


def _table(figures: Sequence[Figure]) -> Table:
    table = Table(caption=f"median (least-most); ! others used more than {NOISY_CORES:g} cores meanwhile")
    for name in ("measurement", "what", "ratio", "of", "target", "absolute", "unit", "others"):
        table.add_column(name, justify="right" if name in {"ratio", "absolute", "others"} else "left", no_wrap=True)
    section = figures[0].measurement
    for figure in figures:
        if figure.measurement != section:
            section = figure.measurement
            table.add_section()
        table.add_row(
            *(figure.measurement, figure.what, figure.ratio.text(3), figure.of, _target(figure)),
            *(figure.absolute.text(0 if figure.absolute.median > 1000 else 2), figure.unit, _others(figure.others)),  # noqa: PLR2004
        )
    return table


def _target(figure: Figure) -> str:
    if figure.target is None:
        return ""
    refused = f", {figure.refused} refused" if figure.refused else ""
    return f"{figure.target.text} {'met' if figure.met else 'MISSED'}{refused}"


def _others(cores: float | None) -> str:
    if cores is None:
        return "unknown"
    return f"{cores:.2f}{' !' if cores > NOISY_CORES else ''}"


def _short(fact: object) -> str:
    return "/".join(map(str, fact)) if isinstance(fact, list) else str(fact)


def _show_profile(console: Console, profile: Mapping[str, Any]) -> None:
    per_batch = profile["cpu_ms_per_batch"]
    console.print(
        f"Where {per_batch:.2f} ms of CPU a batch go ({profile['batches']} batches, {profile['samples']} samples; "
        f"the loop ran {profile['busy_share']:.0%} of the time and waited {profile['starved_share']:.0%} for a core; "
        f"others used {_others(profile['others_cores'])} cores)",
        soft_wrap=True,
        highlight=False,
    )
    table = Table()
    table.add_column("seam")
    table.add_column("share", justify="right")
    table.add_column("ms", justify="right")
    for seam, share in profile["shares"].items():
        table.add_row(seam, f"{share:.1%}", f"{share * per_batch:.3f}")
    console.print(table)
    top = ", ".join(f"{name} {share:.1%}" for name, share in profile["top_functions"].items())
    console.print(f"Most often innermost: {top}", soft_wrap=True, highlight=False)
