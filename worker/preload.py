"""What libraries would import while the first call is on its way, imported before it.

anyio loads its parts when they are first named, and httpcore names them while it sends: the first call of a process
would be 60 ms late for its slot, where 10 ms count.
"""

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
