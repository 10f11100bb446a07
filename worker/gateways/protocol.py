"""What every gateway's adapter offers: it writes one call and reads one answer, and does no I/O itself."""

from typing import Protocol

from worker.domain.answers import Answer, Call, Disposition
from worker.domain.batch import Outgoing


class Gateway(Protocol):
    """One account at one remote service. Its credentials show in no repr, reason, exception or log."""

    @property
    def name(self) -> str:
        """The kind of gateway, as in the accounts file ("exotel-sms")."""

    @property
    def batch_limit(self) -> int:
        """The most messages that one call may carry."""

    @property
    def origin(self) -> str:
        """Scheme, host and port of every URL that `write` makes: what a line connects to."""

    def write(self, outgoing: Outgoing) -> Call:
        """Write the one HTTP request that sends these messages, in their order."""

    def read(self, answer: Answer, outgoing: Outgoing) -> Disposition:
        """Tell what the answer means for these messages; never raises, whatever the gateway says."""
