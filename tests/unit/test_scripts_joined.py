"""What the ledger's scripts join: Lua would find a part that is missing only when its function is called."""

import re
from importlib import resources

import pytest

from worker.ledger.scripts import load

FILES = {
    file.name.removesuffix(".lua"): file.read_text(encoding="utf-8")
    for file in (resources.files("worker.ledger") / "lua").iterdir()
}
SCRIPTS = sorted(name for name, text in FILES.items() if "-- Called by: " in text)
DEFINED = re.compile(r"^local (?:function )?(\w+)(?=\(| = ).*?$", re.MULTILINE)
FUNCTION = re.compile(r"^local function (\w+)\((?:[^\n]* end$|.*?^end$)", re.MULTILINE | re.DOTALL)


def code(text):
    """The text without comments and strings."""
    return re.sub(r"--[^\n]*|'[^'\n]*'", "", text)


PARTS = {name: set(DEFINED.findall(code(text))) for name, text in FILES.items() if name not in SCRIPTS}
NAMES = set().union(*PARTS.values())


def used(text):
    """The parts' names that are called, or read where they are constants."""
    words = re.findall(r"(?<![.\w])(?:\w+(?=\()|[A-Z_]{2,}\b)", text)
    return NAMES.intersection(words)


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_joins_what_it_reaches_before_it_is_used_and_nothing_else(script):
    text = code(load(script).text)
    functions = {found[1]: found for found in FUNCTION.finditer(text) if found[1] in NAMES}
    defined_at = {found[1]: found.start() for found in DEFINED.finditer(text)}
    own = len(text) - len(code(FILES[script]))
    reached, waiting = set(), [(own, text[own:])]
    while waiting:
        at, body = waiting.pop()
        for name in used(body):
            assert defined_at.get(name, at + 1) <= at, f"{name} is used before it is joined"
            if name not in reached:
                reached.add(name)
                waiting += [(found.start(), found[0]) for found in [functions.get(name)] if found]
    joined = re.search(r"^-- joined: (.+)$", FILES[script], re.MULTILINE)
    needless = [part for part in (joined[1].split() if joined else []) if not PARTS[part] & reached]
    assert not needless


@pytest.mark.parametrize("file", sorted(FILES))
def test_a_script_or_part_has_at_most_sixty_lines(file):
    assert FILES[file].count("\n") <= 60
