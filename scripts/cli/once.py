"""A campaign file for a command that sends it once, whatever it says of recurring."""

from pathlib import Path

from scripts.cli.words import argument, exact, tell
from worker.intake.campaign import Campaign
from worker.intake.campaign_file import load_campaign


def load_once(path: Path) -> Campaign:
    """Read a campaign file; people are told that its [schedule] has no part in this. Raises `ConfigError`."""
    campaign = load_campaign(path)
    if campaign.schedule is not None:
        recurs = exact("schedule", "add", argument(path))
        tell(f"{path} has a [schedule]: here it is sent once, now; it recurs with\n  {recurs}")
    return campaign
