"""A stand-in for the five gateways: strict as their documents, and broken on demand.

It never sends anything and remembers everything it accepted, so that a test can say "each person once" and mean it.

    connection ──▶ gateway.arrive ──▶ dialect.judge ──▶ memory ──▶ dialect.answer ──▶ connection
     (sockets)      (limiter, fault)   (one a gateway)  (accepted!)                   (fault travels)
                                                           └──▶ reports ──▶ postman ──▶ callback URLs
"""

from scripts.simulator.command import app, simulator
from scripts.simulator.limiter import Limit, WindowKind
from scripts.simulator.memory import Arrival, Message, Stats
from scripts.simulator.options import SimulatorOptions, parse_fault, parse_limit, parse_reject
from scripts.simulator.postman import ReportStats
from scripts.simulator.server import Simulator, serve

__all__ = [
    "Arrival",
    "Limit",
    "Message",
    "ReportStats",
    "Simulator",
    "SimulatorOptions",
    "Stats",
    "WindowKind",
    "app",
    "parse_fault",
    "parse_limit",
    "parse_reject",
    "serve",
    "simulator",
]
