"""Hours as a law: no call goes outside them, and nobody whose hours open is forgotten, whatever workers and clocks do.

The witness asks `Hours` itself, at the slot and at the last moment of its lateness; nothing that the ledger stores.
"""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from worker.domain.hours import Hours
from worker.ledger.taking import Batches, Wait

from .conftest import S

EPOCH = datetime.fromtimestamp(0, UTC)
ZONES = ("Asia/Kolkata", "America/New_York", "Europe/London", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Tehran")
NEAR_CHANGES = [
    datetime(2027, *day, tzinfo=UTC)
    for day in ((1, 15), (2, 6), (3, 14), (3, 28), (4, 4), (10, 3), (10, 31), (11, 7), (12, 31))
]
"""Days about which clocks are changed in some zone, Ramadan in Casablanca among them, and days on which none is."""

MANY = 80
SKEW_S = 0.05
"""A worker knows the server's clock so well at the worst, when it looks up the hours of a campaign."""

times = st.times().map(lambda each: each.replace(second=0, microsecond=0))
hours = st.tuples(times, times, st.sampled_from(ZONES)).filter(lambda each: each[0] != each[1])
edges = st.sampled_from([-1.2, -0.3, -0.02, 0, 0.01, 0.3, 1])
steps = st.one_of(
    st.tuples(st.just("pass"), st.sampled_from([0.2, 1, 3, 60, 3600, 20_000, 90_000])),
    st.tuples(st.just("boundary"), edges),
    st.tuples(st.just("take at the boundary"), edges),
    st.tuples(st.just("step back"), st.sampled_from([2, 90, 5000, 100_000])),
    st.tuples(st.just("sweep"), st.just(0)),
    st.tuples(st.just("look up"), st.floats(-SKEW_S, SKEW_S)),
    st.tuples(st.just("renew"), st.just(0)),
    st.tuples(st.just("die"), st.just(0)),
    st.tuples(st.just("take"), st.sampled_from([0, 0.05, 0.4])),
    st.tuples(st.just("take"), st.sampled_from([0, 0.05, 0.4])),
    st.tuples(st.just("answer"), st.sampled_from(["accepted", "back"])),
    st.tuples(st.just("operate"), st.sampled_from(["pause", "resume", "hold", "open"])),
)


class World:
    """One campaign with hours, one lane, and a worker that hears of due hours, looks them up and writes them later."""

    def __init__(self, ledger, hours, begins):
        ledger.wipe()
        self.ledger, self.hours = ledger, hours
        ledger.now = us(begins)
        ledger.lane(call_us=100_000, concurrency=MANY)
        ledger.begin(has_hours=True)
        ledger.append([1] * MANY)
        ledger.start(at=MANY, hours=self.interval())
        self.told, self.looked_up, self.taken = False, None, []

    def interval(self, off_s=0.0):
        found = self.hours.next_interval(at(self.ledger.now + round(off_s * S)))
        return us(found.opens_at), us(found.closes_at)

    def step(self, what, value):
        match what:
            case "sweep":
                self.told = bool(self.ledger.sweep().hours) or self.told
            case "look up" if self.told:
                self.looked_up, self.told = self.interval(value), False
            case "renew" if self.looked_up:
                self.write(self.looked_up)
                self.looked_up = None
            case "die":
                self.told, self.looked_up = False, None
            case "take":
                self.take(value)
            case "take at the boundary":
                self.let_time_pass("boundary", value)
                self.take(0.4)
            case "answer" if self.taken:
                self.answer(value)
            case "operate":
                getattr(self.ledger, value)()
            case "pass" | "boundary" | "step back":
                self.let_time_pass(what, value)

    def let_time_pass(self, what, seconds):
        ledger = self.ledger
        if what == "boundary":
            opens, closes = self.interval()
            ledger.now = max(ledger.now, (opens if opens > ledger.now else closes) + round(seconds * S))
        elif what == "step back":
            # Sweeps come each second; what a worker had looked up it has written since.
            ledger.pass_s(1)
            ledger.sweep()
            ledger.pass_s(-seconds)
            self.looked_up = None
        else:
            ledger.pass_s(seconds)

    def write(self, interval):
        self.ledger.set_hours(*((each - self.ledger.now) / S for each in interval))

    def take(self, late_s):
        self.ledger.lane(call_us=100_000, concurrency=MANY)
        turn = self.ledger.take(3, lookahead_us=250_000, late_us=round(late_s * S))
        if isinstance(turn, Batches):
            for taken in turn.taken:
                self.witness(taken.slot_us, round(late_s * S))
            self.taken += turn.taken
        return turn

    def witness(self, slot, late):
        interval = self.hours.next_interval(at(slot))
        assert interval.opens_at <= at(slot), f"{at(slot)} is not in {self.hours}"
        assert at(slot + late) < interval.closes_at, f"{at(slot)} may be late: {self.hours}"

    def answer(self, how):
        taken = self.taken.pop(0)
        if how == "accepted":
            self.ledger.settle(taken, "a")
        else:
            self.ledger.back(taken)

    def let_it_open(self):
        """An operator lets all go on, the hours open, and a sound worker sweeps and renews what it is told of."""
        ledger = self.ledger
        ledger.open()
        ledger.resume()
        self.take(0)  # the operator's word alone makes the lane due: not for long
        opens, closes = self.interval()
        if closes - ledger.now < 10 * S:
            ledger.now = closes
            opens, _ = self.interval()
        ledger.now = max(ledger.now, opens)
        for _ in range(2):
            ledger.pass_s(0.95)
            if ledger.sweep().hours:
                self.write(self.interval())


def us(instant):
    return (instant - EPOCH) // timedelta(microseconds=1)


def at(microseconds):
    return EPOCH + timedelta(microseconds=microseconds)


@settings(
    max_examples=300,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    hours=hours,
    day=st.sampled_from(NEAR_CHANGES),
    after=st.timedeltas(timedelta(hours=-30), timedelta(hours=30)),
    steps=st.lists(steps, min_size=5, max_size=40),
)
@example(  # renewed while it was paused and the clock ahead
    hours=(time(0, 0), time(0, 1), "Asia/Kolkata"),
    day=datetime(2027, 1, 15, tzinfo=UTC),
    after=timedelta(0),
    steps=[
        ("boundary", -1.2),
        ("operate", "pause"),
        ("pass", 0.2),
        ("pass", 1),
        ("sweep", 0),
        ("look up", 0.0),
        ("renew", 0),
        ("step back", 100_000),
        ("step back", 2),
    ],
)
def test_no_call_goes_outside_the_hours_and_no_campaign_is_forgotten(quick, hours, day, after, steps):
    opens, closes, zone = hours
    world = World(quick, Hours(opens=opens, closes=closes, zone=ZoneInfo(zone)), day + after)
    for what, value in steps:
        world.step(what, value)
    if not quick.queue():
        return
    world.let_it_open()
    assert quick.due() is not None
    assert quick.due() <= 0, "its hours are open and its lane is not due"
    quick.pass_s(1)
    turn = world.take(0)
    if isinstance(turn, Wait):  # it is the first to see that the clock has stepped back
        quick.pass_s(turn.seconds)
        turn = world.take(0)
    assert isinstance(turn, Batches)


def test_a_short_day_of_a_zone_that_sets_its_clocks_forward_has_no_hours(quick):
    # 2027-03-14, New York: 02:00 to 03:00 does not exist.
    hours = Hours(opens=time(2, 10), closes=time(2, 50), zone=ZoneInfo("America/New_York"))
    world = World(quick, hours, datetime(2027, 3, 14, 6, 59, tzinfo=UTC))
    for _ in range(24 * 60):
        quick.pass_s(60)
        for what in ("sweep", "look up", "renew"):
            world.step(what, 0)
        if isinstance(world.take(0), Batches):
            break
    assert at(quick.now).isoformat() == "2027-03-15T06:10:00+00:00"
