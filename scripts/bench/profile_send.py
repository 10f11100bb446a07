"""profile: where the time of a batch goes in the worker, so that the next one knows where to push.

It is no comparison and has no target: its shares are printed under the table.
"""

import subprocess
import sys
from typing import Any

import orjson

from scripts.bench.figures import Plan
from scripts.bench.processes import BODIES, ROOT, ProcessFailed, Stage
from scripts.bench.send import BATCHES, UNTHROTTLED

ACCOUNT = "profile"
LINES = 64
_PATIENCE_S = 300.0


def measure(stage: Stage, plan: Plan) -> dict[str, Any]:
    """Return the shares of CPU time for dynamic bodies, 64 calls at once, without latency."""
    simulator = stage.simulate()
    stage.accounts(simulator, {ACCOUNT: {"requests": UNTHROTTLED, "concurrency": LINES}})
    batches = round(2 * BATCHES * plan.share)
    stage.enqueue(ACCOUNT, batches, BODIES["dynamic"])
    neighbours = stage.neighbours()
    command = [sys.executable, "-m", "scripts.bench.seams", ACCOUNT, str(batches)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, timeout=_PATIENCE_S, check=False)
    if done.returncode:
        raise ProcessFailed("the profiled worker loop failed")
    document: dict[str, Any] = orjson.loads(done.stdout)
    return document | {"others_cores": neighbours.cores()}
