"""Runs a module as a program that ends when its starter does: `python -m scripts.cli.leash PID MODULE …`.

The worker of `run` and the simulator of `demo` live on such a leash: whoever started them may be killed at any
instruction, and SIGTERM reaches them all the same (Linux; elsewhere a killed starter leaves them running).
"""

import ctypes
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Sequence
from typing import IO

_PR_SET_PDEATHSIG = 1


def start(
    module: str,
    arguments: Sequence[str],
    *,
    stdout: IO[bytes] | int,
    stderr: IO[bytes] | int | None,
    log_level: str = "",
) -> subprocess.Popen[bytes]:
    """Start `python -m module arguments` on a leash of this process, deaf to the terminal's Ctrl-C.

    The calling thread must live as long as the program shall: to the kernel it is the parent.
    """
    # -P: a folder named `worker` where the user stands must not be taken for ours.
    command = [sys.executable, "-P", "-m", __name__, str(os.getpid()), module, *arguments]
    environ = os.environ | ({"BULKSEND_LOG_LEVEL": log_level} if log_level else {})
    return subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, env=environ, start_new_session=True
    )


def _run_on_leash(parent: int, module: str, arguments: list[str]) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
    if os.getppid() != parent:  # it died before we asked
        sys.exit(1)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    _run_on_leash(int(sys.argv[1]), sys.argv[2], sys.argv[3:])
