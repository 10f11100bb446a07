"""The steps by name, thin. From Python: `from tasks import Campaign, enqueue`."""

from tasks.produce import enqueue, recipients_of_report
from worker.intake.campaign import Campaign

__all__ = ["Campaign", "enqueue", "recipients_of_report"]
