"""What would make a process late in the middle of its work, done before it begins: imports, and looks for garbage.

anyio loads its parts when they are first named, and httpcore names them while it sends: the first call of a process
would be 60 ms late for its slot, where 10 ms count.
"""

import gc
import importlib

_LAZY = (
    "sniffio",
    "anyio.lowlevel",
    "anyio.abc",
    "anyio.streams.tls",
    "anyio.streams.memory",
    "anyio._backends._asyncio",
)
_NAMED = (
    "Lock",
    "Event",
    "Semaphore",
    "CancelScope",
    "fail_after",
    "move_on_after",
    "create_task_group",
    "connect_tcp",
)

NEW_OBJECTS = 20_000
"""The collector looks after so many new objects: every twenty calls or so, for a millisecond."""


def preload() -> None:
    """Import them now; a name that a later anyio lacks is passed over, and costs the first call its slot."""
    for module in _LAZY:
        try:
            importlib.import_module(module)
        except ImportError:
            continue
    anyio = importlib.import_module("anyio")
    for name in _NAMED:
        getattr(anyio, name, None)


def calm_collector() -> None:
    """Let Python's cyclic collector look at less, and less often: to be called once, after `preload`.

    What is imported lives as long as the process. Left to the collector, it is looked through again and again: 100,000
    objects, 80 ms at a time, in which every slot is missed. And an answer alone has hundreds of objects, none of them
    in a cycle: Python's own 700 new objects between two looks cost an eighth of a batch's CPU time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, *gc.get_threshold()[1:])
