"""The last words of a command that is interrupted: how to go on, and its one document all the same."""

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import typer

from scripts.cli.ledger import Ledger
from scripts.cli.output import emit
from scripts.cli.terminated import Terminated
from scripts.cli.words import tell
from worker.domain.ids import CampaignId
from worker.ledger.errors import LedgerError
from worker.ledger.reading import Standing, standings

SAME_STDIN = "(with the same recipients on standard input)"


@dataclass(frozen=True, slots=True, kw_only=True)
class LastWords:
    """What is said of a campaign whose command is interrupted.

    `again`: the command that goes on, without --data, empty where none can; `promise`: what that does; `notes`: what
    else there is to know.
    """

    ledger: Ledger
    campaign_id: CampaignId
    again: Sequence[str]
    promise: str
    notes: Sequence[str] = ()
    as_json: bool

    @contextmanager
    def said(self, finish: Callable[[], object] = lambda: None) -> Iterator[None]:
        """Let Ctrl-C and the signals of `terminable` end what is done here with these words; raises `typer.Exit`.

        They are said at once; then `finish` is called, which a second signal breaks off.
        """
        try:
            yield
        except (KeyboardInterrupt, Terminated) as end:
            go_on = self.ledger.command(*self.again) if self.again else None
            tell(f"\ninterrupted; {self.promise}:\n  {go_on}" if go_on else "\ninterrupted")
            for note in self.notes:
                tell(note)
            found: list[Standing] = []
            with suppress(KeyboardInterrupt, Terminated, LedgerError):
                finish()
                found = standings(self.ledger.client, [self.campaign_id])
            if self.as_json:
                document = found[0].as_json() if found else {"id": self.campaign_id}
                emit({**document, "go_on": go_on}, [], as_json=True)
            status = end.exit_status if isinstance(end, Terminated) else 128 + signal.SIGINT
            raise typer.Exit(status) from end
