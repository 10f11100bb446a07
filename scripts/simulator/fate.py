"""What becomes of an accepted message: drawn from the seed and its number, so that every run tells the same story.

The same number has the same fate however often it is asked, in whichever call it came: a test knows beforehand who
will be undelivered, and the details of a message agree with the report that was sent about it.
"""

import hashlib
import struct
from collections.abc import Mapping
from dataclasses import dataclass

from scripts.simulator.codes import SKYCORE_REPORTS, knows
from scripts.simulator.judge import rejected
from scripts.simulator.options import SimulatorOptions

UNDELIVERED: Mapping[str, str] = {"exotel-sms": "23035", "exotel-whatsapp": "30011", "skycore-sms": "E201"}
"""The code of a failure for which no `report_rejects` gives another."""

_DRAWS = struct.Struct("<6Q")
_WHOLE = float(1 << 64)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """`failure` is the code, "" where it is delivered; the waits are seconds from acceptance.

    `again_s` is when the final report comes a second time, a negative number for never.
    """

    failure: str
    early: bool
    sent_s: float
    final_s: float
    again_s: float


def fate_of(digits: str, gateway: str, options: SimulatorOptions) -> Fate:
    """What becomes of a message to `digits`; only where `reports_s` is set."""
    delay = options.reports_s or 0.0
    fails, doubles, hurries, *shares = _draws(options.seed, digits)
    if not options.report_shuffle:
        shares = [0.5, 1.0, 1.0]
    early = hurries < options.report_early
    return Fate(
        failure=_failure(digits, gateway, options, drawn=fails),
        early=early,
        sent_s=shares[0] * delay,
        final_s=0.0 if early else shares[1] * delay,
        again_s=shares[2] * delay if doubles < options.report_twice else -1.0,
    )


def _failure(digits: str, gateway: str, options: SimulatorOptions, *, drawn: float) -> str:
    rejects = [reject for reject in options.report_rejects if _reports(gateway, reject.code)]
    by_number = rejected([digits], rejects).get(0, "")
    return by_number or (UNDELIVERED[gateway] if drawn < options.report_failures else "")


def _reports(gateway: str, code: str) -> bool:
    return code in SKYCORE_REPORTS if gateway == "skycore-sms" else knows(gateway, code)


def _draws(seed: int, digits: str) -> list[float]:
    """Six numbers from 0 up to 1."""
    digest = hashlib.blake2b(f"{seed}/{digits}".encode(), digest_size=_DRAWS.size).digest()
    return [drawn / _WHOLE for drawn in _DRAWS.unpack(digest)]
