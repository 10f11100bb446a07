"""From rows to batches: the part of production that needs no Redis.

Each row is judged once, in the order of the input: it becomes a message, or it is passed over as invalid or as a
duplicate. A stretch of rows ends with its hundredth message (or its thousandth row passed over, or its four millionth
character, or the input) and becomes one batch's content, so that every row stands in exactly one batch. The same input
and campaign give the same batches, however the input is read: an interrupted production produces again and compares
digests.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from config.errors import ConfigError
from worker.domain.content_template import NEUTRAL, Wording
from worker.domain.dlt import Differs, DltTemplate
from worker.domain.template import MissingValue
from worker.intake.campaign import MAX_BODY_CHARACTERS, Campaign, too_long
from worker.intake.message_options import columns_of, complain_for
from worker.intake.phones import BadNumber, Normaliser
from worker.intake.rows import BadRow, Block, RowSource
from worker.intake.seen import SeenNumbers
from worker.intake.stretch import Prepared, Refused, Stretch
from worker.intake.suggestions import did_you_mean

_INDIA, _TEN_DIGITS = 91, 10_000_000_000
_NOT_TO_INDIA = 'an Indian number in a promotional campaign to another country: give it one with default_country = "IN"'

_Judge = Callable[[list[str | None]], int | Refused]
"""Writes a row's body down and returns its number, or returns why it becomes no message."""

Check = Callable[[str], str]
"""Tells why a text, as it would be sent, can not be; "" where it can."""


def passes(_text: str) -> str:
    """Find nothing wrong."""
    return ""


def check_body(text: str) -> str:
    """Return why a body can not be sent, "" where it can: it is empty, or too long."""
    if len(text) > MAX_BODY_CHARACTERS:
        return f"body {too_long(len(text))}"
    return "" if text and not text.isspace() else "empty body"


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayChecks:
    """What the gateway of a campaign says of its messages before they are queued.

    `text` judges every recipient's text, or once the one that all get; `wording` once a text with `NEUTRAL` in its
    fields, of which it tells what no value can mend; `sender` each message's own `from`.
    """

    text: Check = check_body
    wording: Check = passes
    sender: Check = passes


OF_BODIES = GatewayChecks()


def prepare(
    rows: RowSource, campaign: Campaign, *, batch_size: int = 100, checks: GatewayChecks = OF_BODIES
) -> Iterator[Prepared]:
    """Give the batches of a campaign in row order, reading the input as they are asked for.

    Raises `ConfigError`: at once where no message can be written, or the header lacks the number's column or one of the
    text's, and later whatever the source raises.
    """
    wording, check = campaign.wording(), with_dlt(checks.text, campaign.dlt())
    neutral = str(wording.bind(wording.columns)((NEUTRAL,) * len(wording.columns)))
    if why := check(neutral) if wording.is_static else checks.wording(neutral):
        raise ConfigError(f"campaign {campaign.name}: {why}")
    if rows.columns is not None:
        for column in (campaign.to, *wording.columns, *columns_of(campaign.message_options())):
            if column not in rows.columns:
                raise ConfigError(f'{rows.name}: there is no column "{column}"{did_you_mean(column, rows.columns)}')
    stretch = Stretch(batch_size)
    judge_for = _judges(campaign, wording, replace(checks, text=check), stretch.bodies.append)
    return _batches(rows.blocks, judge_for, campaign.to, stretch)


def with_dlt(check: Check, dlt: DltTemplate | None) -> Check:
    """Return what holds each text against the registered one as well, where the campaign names it."""
    if dlt is None:
        return check

    def both(text: str) -> str:
        if why := check(text):
            return why
        answer = dlt.match(text)
        return answer.reason if isinstance(answer, Differs) else ""

    return both


def _batches(
    blocks: Iterator[Block], judge_for: Callable[[tuple[str, ...]], _Judge], to: str, stretch: Stretch
) -> Iterator[Prepared]:
    for block in blocks:
        judge = judge_for(block.columns)
        if not stretch.has_room_for(block.columns):
            yield stretch.end()
        stretch.enter(block.columns)
        for row in block.rows:
            if isinstance(row, BadRow):
                is_full = stretch.pass_over(_invalid(_what_stood(row, to, block.columns), row.reason), row)
            elif isinstance(verdict := judge(row), Refused):
                is_full = stretch.pass_over(verdict, row)
            else:
                is_full = stretch.take(verdict, row)
            if is_full:
                yield stretch.end()
    if not stretch.is_empty:
        yield stretch.end()


def _judges(
    campaign: Campaign, wording: Wording, checks: GatewayChecks, write_down: Callable[[str], None]
) -> Callable[[tuple[str, ...]], _Judge]:
    """Return what makes the judge for rows with the given columns; all judges know each other's numbers."""
    canonical = Normaliser(campaign.default_country).canonical
    add = SeenNumbers().add
    options, is_static = campaign.message_options(), wording.is_static
    # The legal hours for promotional messages to Indian numbers are not kept by a campaign to another country.
    spares_india = campaign.is_promotional and not campaign.is_bound_to_indian_hours

    @lru_cache(maxsize=64)
    def judge_for(columns: tuple[str, ...]) -> _Judge:
        render, complain = wording.bind(columns), complain_for(options, columns, checks.sender)
        place = columns.index(campaign.to) if campaign.to in columns else None

        def judge(values: list[str | None]) -> int | Refused:  # noqa: PLR0911 - one a reason
            text = None if place is None else values[place]
            if text is None:
                return _invalid("", f"no value in column {campaign.to!r}")
            number = canonical(text)
            if isinstance(number, BadNumber):
                return _invalid(text, number.reason)
            if spares_india and number // _TEN_DIGITS == _INDIA:
                return _invalid(f"+{number}", _NOT_TO_INDIA)
            body = render(values)
            if isinstance(body, MissingValue):
                return _invalid(f"+{number}", f"no value in column {body.column!r}")
            if not is_static and (why := checks.text(body)):
                return _invalid(f"+{number}", why)
            if words := complain(values):
                return _invalid(f"+{number}", words)
            if not add(number):
                return Refused(outcome="duplicate", to=f"+{number}", reason="the number stands in an earlier row")
            write_down(body)
            return number

        return judge

    return judge_for


def _what_stood(row: BadRow, to: str, columns: tuple[str, ...]) -> str:
    """Return what a row that could not be read has in the number's column, as far as one can tell."""
    fields = row.fitted(len(columns))
    return (fields[columns.index(to)] if to in columns else None) or ""


def _invalid(to: str, reason: str) -> Refused:
    return Refused(outcome="invalid", to=to, reason=reason)
