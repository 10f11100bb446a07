"""How the takes of a lane are written: how near and how far its slots may be, and how long its attempts last.

Invariant: an attempt outlasts its call, and what its worker still has to write about it.
"""

from worker.ledger.taking import Intent
from worker.roster import Served

LOOKAHEAD_S = 0.1
"""A slot is given so long ahead: enough to write the call, short enough that a pause bites at once."""

LEAD_S = 0.02
"""No slot is nearer: before it the intent is confirmed on disk, a new campaign is read and the call is written."""

EXPIRY_MARGIN_S = 10.0
"""An attempt expires so long after its call's timeout."""


def intent_of(served: Served, *, confirm: bool, replicas: int) -> Intent:
    """Return how batches of an account are taken; `confirm` and `replicas`: by whom the server is to confirm it."""
    return Intent(
        lookahead_us=int(LOOKAHEAD_S * 1e6),
        lead_us=0 if served.is_unhurried else int(LEAD_S * 1e6),
        expiry_us=int((served.account.timeout + EXPIRY_MARGIN_S) * 1e6),
        confirm=confirm,
        replicas=replicas,
        limit=served.gateway.batch_limit,
        late_us=int(served.late_s * 1e6),
    )
