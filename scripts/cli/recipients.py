"""The recipients of a campaign as commands read them: how the input was understood is told to people."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import redis

from config.errors import ConfigError
from scripts.cli.ledger import Ledger
from scripts.cli.words import tell
from tasks.produce import open_recipients
from worker.domain.ids import CampaignId
from worker.follow_up import Choice, choose, open_report
from worker.intake.campaign import Campaign
from worker.intake.rows import RowSource
from worker.ledger.reading import ENDED


@dataclass(frozen=True, slots=True, kw_only=True)
class FromReport:
    """Recipients that are rows of an earlier campaign, and the ledger that has it."""

    client: redis.Redis
    choice: Choice


Source = str | FromReport | None
"""A file, rows of an earlier campaign, or what the campaign's own file names."""


@contextmanager
def recipients_of(campaign: Campaign, override: Source) -> Iterator[RowSource]:
    """Open what is to be read instead of the campaign's own file, or that, and close it; raises `ConfigError`.

    Its notes go to standard error: those on the header before anything is read, the others when the reading ends.
    """
    with _opened(campaign, override) as rows:
        at_first = len(rows.notes)
        for note in rows.notes[:at_first]:
            tell(note)
        try:
            yield rows
        finally:
            for note in rows.notes[at_first:]:
                tell(note)


def _opened(campaign: Campaign, override: Source) -> RowSource:
    if isinstance(override, FromReport):
        return open_report(override.client, override.choice, to=campaign.to)
    return open_recipients(campaign, None, override)


def choice_of(
    from_report: str | None,
    only: Sequence[str],
    codes: Sequence[str],
    recipients: str | None,
    *,
    includes_unconfirmed: bool,
) -> Choice | None:
    """Return whom of an earlier campaign the options name, `None` where they name none; raises `ConfigError`."""
    if from_report is None:
        if only or codes or includes_unconfirmed:
            raise ConfigError(
                "--only, --code and --include-unconfirmed choose from the campaign that --from-report names"
            )
        return None
    if recipients is not None:
        raise ConfigError("--from-report and --recipients both say who the recipients are: give one of them")
    if not only and not codes:
        raise ConfigError(f"--from-report {from_report} needs --only or --code: say whom of it")
    return choose(CampaignId(from_report), only, codes, "taken" if includes_unconfirmed else "passed over")


def from_report(ledger: Ledger, choice: Choice) -> FromReport:
    """Look the earlier campaign up, and tell where it may still change; raises `ConfigError` where there is none."""
    standing = ledger.standing(choice.of)
    if standing.state not in ENDED:
        tell(f"{choice.of} is {standing.state}: what becomes of its rows from now on is not looked at")
    return FromReport(client=ledger.client, choice=choice)


def words_for(choice: Choice) -> list[str]:
    """Return the options that make this choice, to be typed again."""
    words = ["--from-report", choice.of]
    for option, values in (("--only", choice.kinds), ("--code", choice.codes)):
        words += [word for value in sorted(values) for word in (option, value)]
    return [*words, "--include-unconfirmed"] if choice.unconfirmed == "taken" else words
