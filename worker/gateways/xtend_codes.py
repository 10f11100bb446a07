"""Xtend's error codes, read from `xtend_codes.tsv`: the whole table "Error_Code | Description" of its document.

Each line there has a code, its class, its feedback and its meanings, parted by tabs; a code that the document lists
twice, or with two descriptions, has both meanings. Ranges are written out, and what the document breaks within a word
is joined. Class and feedback are a decision of this project. The document does not say which codes stand in the answer
to a call and which in a later report, so each has both.
"""

import re
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib import resources

from worker.domain.delivery import Feedback


class CodeClass(Enum):
    """Whose matter a code is, which decides what follows from it."""

    RECIPIENT = "recipient"
    """The number, its handset or its owner's wish: this message is refused, the next may pass."""
    MESSAGE = "message"
    """The text or the form of this message, or of all: the code leaves it open, so trying others must tell."""
    CAMPAIGN = "campaign"
    """Sender, entity, template or hours: every message of the campaign would fail alike."""
    ACCOUNT = "account"
    """Balance, validity, the sender's registration: every message of the account would fail alike."""
    THROTTLE = "throttle"
    """Refused for going too fast."""
    TEMPORARY = "temporary"
    """The network failed at this message; it is told as refused, and never sent again by itself."""
    UNCLEAR = "unclear"
    """No failure, or none that is certain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """One code: whose matter it is, what a report with it tells beyond its message, and all that it may mean."""

    code_class: CodeClass
    feedback: Feedback
    texts: tuple[str, ...]

    @property
    def text(self) -> str:
        """Every meaning in one line."""
        return " or ".join(self.texts)


@cache
def meanings() -> dict[str, Meaning]:
    """Return the table by code, as the document spells it ("953", "20A")."""
    table = resources.files("worker.gateways").joinpath("xtend_codes.tsv").read_text(encoding="utf-8")
    return {code: _meaning(*rest) for code, *rest in (line.split("\t") for line in table.splitlines())}


def meaning_of(code: str) -> Meaning | None:
    """Look up a code in any case and with leading zeros; `None` for one that the document does not have."""
    return meanings().get(code.strip().upper().lstrip("0") or "0") if code.strip() else None


def code_described(words: str) -> str:
    """Find the code whose description these words are, with "error" before it or without; "" where none is certain.

    Case and punctuation make no difference. A code with several meanings may mean another one. Those that share their
    only description are of one class, and the first stands for all.
    """
    return _by_description().get(_plain(words), "")


@cache
def _by_description() -> dict[str, str]:
    found: dict[str, str] = {}
    for code, meaning in meanings().items():
        plain = _plain(meaning.text)  # 280 is "Error" and nothing more
        if plain and len(meaning.texts) == 1 and meaning.code_class is not CodeClass.UNCLEAR:
            found.setdefault(plain, code)
    return found


def _plain(words: str) -> str:
    return re.sub(r"[^0-9a-z]", "", words.casefold()).removeprefix("error")


def feedback_of(code: str) -> Feedback:
    """Tell what a failure reported with this code says beyond its own message; `NOTHING` for an unknown code."""
    meaning = meaning_of(code)
    return meaning.feedback if meaning else Feedback.NOTHING


def _meaning(code_class: str, feedback: str, texts: str) -> Meaning:
    return Meaning(
        code_class=CodeClass(code_class),
        feedback=Feedback(feedback),
        texts=tuple(texts.split(" | ")),
    )
