"""Recipient files as people have them: numbers in no order, names and order numbers that hardly repeat.

What compresses well would make the ledger look small; these values are drawn, by a fixed seed.
"""

import csv
import random
from pathlib import Path

COLUMNS = ("to", "name", "order")
BODY = "Dear {name}, order {order} is on its way."

_FIRST = 10_000_000  # the made-up numbers +91910… have seven digits of their own
_STRIDE = 7_654_321  # prime to it: no number comes twice
_SYLLABLES = ("an", "bha", "chi", "dev", "esh", "ga", "har", "isha", "ja", "ki", "la", "man", "nil", "ra", "su", "vi")


def write_recipients(path: Path, rows: int) -> None:
    """Write a CSV file of so many recipients, at most ten million, every number valid and there once."""
    draw = random.Random(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for row in range(rows):
            number = f"+91910{row * _STRIDE % _FIRST:07d}"
            writer.writerow((number, f"{_name(draw)} {_name(draw)}", f"A-{draw.randrange(10**8):08d}"))


def _name(draw: random.Random) -> str:
    return "".join(draw.choices(_SYLLABLES, k=3)).capitalize()
