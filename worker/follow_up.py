"""A follow-up: the recipients of an earlier campaign, chosen by what became of them; they are produced like a file's.

Read from the ledger as a stream, as its report is, each row with its own columns. Invariant: nobody who may have been
messaged without our knowing it (`unconfirmed`) is taken unless that was asked for.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, cast

import orjson
import redis

from config.errors import ConfigError
from worker.domain.ids import CampaignId
from worker.intake.campaign import Campaign
from worker.intake.object_rows import mapping_blocks
from worker.intake.rows import RowSource
from worker.ledger import keys
from worker.ledger.errors import translated
from worker.ledger.record import OUTCOMES, ReportRow, report_columns, report_rows

KINDS = (*OUTCOMES, "delivered", "undelivered", "awaiting")
"""What rows are chosen by: an outcome of the report, or the delivery of an accepted one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Rows of campaign `of` with one of these outcomes or deliveries, and with one of these codes; none named: any.

    `unconfirmed`: whether those whose outcome is so, and whose code is one of these, are taken too or passed over.
    """

    of: CampaignId
    kinds: frozenset[str]
    codes: frozenset[str]
    unconfirmed: Literal["passed over", "taken"]

    def wants(self, row: ReportRow) -> bool:
        """Whether the row is chosen, or would be were it not for being unconfirmed."""
        if self.codes and self.codes.isdisjoint((row.code, row.delivery_code)):
            return False
        return row.outcome == "unconfirmed" or not self.kinds or not self.kinds.isdisjoint((row.outcome, row.delivery))


def choose(
    of: CampaignId, only: Iterable[str], codes: Iterable[str], unconfirmed: Literal["passed over", "taken"]
) -> Choice:
    """Make a choice of what somebody typed; raises `ConfigError` for an unknown word, and where nothing is named."""
    kinds, wanted = frozenset(only), frozenset(codes)
    unknown = sorted(kinds - set(KINDS))
    if unknown:
        raise ConfigError(f"{unknown[0]!r} is neither an outcome nor a delivery: those are {', '.join(KINDS)}")
    if not kinds and not wanted:
        raise ConfigError(f"a follow-up of {of} needs an outcome, a delivery or a code: say whom of it")
    return Choice(of=of, kinds=kinds, codes=wanted, unconfirmed=unconfirmed)


def chosen(
    client: redis.Redis, choice: Choice, *, to: str, at_end: Callable[[int], None] = lambda _passed_over: None
) -> Iterator[dict[str, str | None]]:
    """Give the chosen rows in row order as mappings of column to value; raises `LedgerError`.

    In the column from which the earlier campaign read its numbers stands each one as it was read then (E.164): another
    campaign may read it otherwise. So it does where column `to` has nothing; another number that stands there is meant.
    Of an invalid row what stood there stays. `at_end` is told how many were passed over for being unconfirmed.
    """
    passed_over, read_from = 0, _number_column(client, choice.of)
    for row in report_rows(client, choice.of):
        if not choice.wants(row):
            continue
        if row.outcome == "unconfirmed" and choice.unconfirmed == "passed over":
            passed_over += 1
            continue
        recipient = dict(zip(row.columns, row.values, strict=True))
        if (to == read_from and row.outcome != "invalid") or not recipient.get(to):
            recipient[to] = row.to
        yield recipient
    at_end(passed_over)


def _number_column(client: redis.Redis, campaign_id: CampaignId) -> str:
    """Return from which column a campaign read its numbers."""
    with translated():
        doc = cast(bytes | None, client.hget(keys.campaign(campaign_id), "doc"))
    column: str = orjson.loads(doc or b"{}").get("to", Campaign.model_fields["to"].default)
    return column


def open_report(client: redis.Redis, choice: Choice, *, to: str) -> RowSource:
    """Return the chosen rows as production reads them; who was passed over is told in a note when all are read.

    Raises `LedgerError`; reading on may raise it too.
    """
    notes = list[str]()

    def tell(passed_over: int) -> None:
        if passed_over:
            notes.append(
                f"{passed_over:,} unconfirmed of {choice.of} passed over: they may have been messaged already, "
                "and resolve or --include-unconfirmed decides about them"
            )

    name = f"the report of {choice.of}"
    columns = tuple(dict.fromkeys((*report_columns(client, choice.of), to)))
    blocks = mapping_blocks(chosen(client, choice, to=to, at_end=tell), name)
    return RowSource(name=name, columns=columns, blocks=blocks, notes=notes)
