"""The recipients of a campaign as commands read them: how the input was understood is told to people."""

from collections.abc import Iterator
from contextlib import contextmanager

from scripts.cli.words import tell
from tasks.produce import open_recipients
from worker.intake.campaign import Campaign
from worker.intake.rows import RowSource


@contextmanager
def recipients_of(campaign: Campaign, override: str | None) -> Iterator[RowSource]:
    """Open the file `override`, or the campaign's own, and close it; raises `ConfigError`.

    Its notes go to standard error: those on the header before anything is read, the others when the reading ends.
    """
    with open_recipients(campaign, None, override) as rows:
        at_first = len(rows.notes)
        for note in rows.notes[:at_first]:
            tell(note)
        try:
            yield rows
        finally:
            for note in rows.notes[at_first:]:
                tell(note)
