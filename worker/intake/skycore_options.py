"""The table `[skycore]` of a campaign file: what Skycore's SMS calls can be told beside the keys of every campaign.

It is checked once, when the campaign is read, and from then on travels as options of the call, each by its own name
(see `worker.domain.batch.Outgoing`).
"""

from pydantic import BaseModel, ConfigDict
from pydantic_core import ErrorDetails

from worker.intake.message_options import ForAll
from worker.intake.suggestions import did_you_mean


class SkycoreOptions(BaseModel):
    """Skycore's own settings of a campaign (Send SMS API V2, "Request Parameters").

    `campaign_ref` is for accounts that enforce the campaign check: the campaign at Skycore to which the recipients are
    subscribed. It takes the place of our own reference, by which delivery reports name the batch: reports on a campaign
    that has one match no message.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    click_tracking: bool | None = None
    campaign_ref: ForAll | None = None

    @property
    def options(self) -> dict[str, str]:
        """The options that are given, by the names that the adapter knows."""
        tracking = {} if self.click_tracking is None else {"click_tracking": str(self.click_tracking).lower()}
        return tracking | ({} if self.campaign_ref is None else {"campaign_ref": self.campaign_ref})


def complaint(inside: str, details: ErrorDetails) -> str | None:
    """Say what is wrong with a key of the table in words of its own, or `None` where a campaign's words will do."""
    match details["type"]:
        case "extra_forbidden":
            return f"is not a key of [skycore]{did_you_mean(inside, SkycoreOptions.model_fields)}"
        case "model_type":
            return "should be a table"
        case _:
            return None
