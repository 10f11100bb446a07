"""What the callback service counts, for Prometheus: each post once, by what became of it, and how long answers took."""

import math
from enum import Enum

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0)


class Fate(Enum):
    """What became of a post."""

    RECEIVED = "received"
    BAD_TOKEN = "bad_token"  # noqa: S105 - a label
    UNREADABLE = "unreadable"
    TOO_LARGE = "too_large"
    TOO_SLOW = "too_slow"
    CUT_OFF = "cut_off"
    REDIS_AWAY = "redis_away"


class CallbackMetrics:
    """The counts of one application, from 0."""

    def __init__(self) -> None:
        # A registry of its own: two applications in one process, as in tests, do not meet.
        self._registry = CollectorRegistry()
        self._posts = Counter(
            "bulksend_report_posts", "Posts to callback URLs by what became of them.", ["fate"], registry=self._registry
        )
        for fate in Fate:
            self._posts.labels(fate.value)
        self._reports = Counter(
            "bulksend_reports_received", "Delivery reports in the posts received.", registry=self._registry
        )
        self._passed_over = Counter(
            "bulksend_report_parts_passed_over",
            "Parts of posts that are no delivery report: incoming messages, states that say nothing yet.",
            registry=self._registry,
        )
        self._waiting = Gauge(
            "bulksend_report_posts_waiting", "Posts received that are not applied yet.", registry=self._registry
        )
        self._answer_s = Histogram(
            "bulksend_report_answer_seconds",
            "From the last byte of a post to its answer.",
            buckets=_BUCKETS_S,
            registry=self._registry,
        )

    def count(self, fate: Fate) -> None:
        """Count one post."""
        self._posts.labels(fate.value).inc()

    def count_parts(self, reports: int, passed_over: int) -> None:
        """Count what was in a post that was received."""
        self._reports.inc(reports)
        self._passed_over.inc(passed_over)

    def observe_answer(self, seconds: float) -> None:
        """Note how long one answer took."""
        self._answer_s.observe(seconds)

    def text(self, waiting: int | None) -> bytes:
        """Return everything in Prometheus's text format; `waiting`: the length of the stream now, `None` if unknown."""
        self._waiting.set(math.nan if waiting is None else waiting)
        return generate_latest(self._registry)
