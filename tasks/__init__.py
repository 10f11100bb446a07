"""The steps by name, thin. From Python: `from tasks import Campaign, enqueue`."""

from tasks.produce import enqueue
from worker.intake.campaign import Campaign

__all__ = ["Campaign", "enqueue"]
