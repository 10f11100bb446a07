"""What tests and people ask of a running simulator: `/_sim/…`, answered only to this machine.

GET stats, messages (`?custom_field=PREFIX`), requests, config; POST config (JSON, see `options.changed`), reset.
"""

from dataclasses import asdict
from urllib.parse import parse_qs

import orjson

from config.errors import ConfigError
from scripts.simulator.dialect import JSON, Head, Reply
from scripts.simulator.gateway import Gateway
from scripts.simulator.options import changed

PREFIX = "/_sim/"


def control(gateway: Gateway, head: Head, body: bytes) -> Reply:  # noqa: PLR0911 - one return a thing to ask
    """One request to `/_sim/…`."""
    match head.method, head.path.removeprefix(PREFIX):
        case "GET", "stats":
            return _json(gateway.stats())
        case "GET", "messages":
            return _json(list(gateway.memory.messages(parse_qs(head.query).get("custom_field", [""])[0])))
        case "GET", "requests":
            return _json([asdict(arrival) for arrival in gateway.memory.arrivals])
        case "GET", "config":
            return _json(gateway.options.described())
        case "POST", "config":
            try:
                gateway.configure(changed(gateway.options, body))
            except ConfigError as error:
                return _json({"error": str(error)}, status=400)
            return _json(gateway.options.described())
        case "POST", "reset":
            gateway.reset()
            return _json(gateway.stats())
        case _:
            return _json({"error": f"no such thing here: {head.method} {head.path}"}, status=404)


def forbidden() -> Reply:
    """The answer to a peer that is not on this machine."""
    return _json({"error": "only for clients on this machine"}, status=403)


def _json(document: object, *, status: int = 200) -> Reply:
    return Reply(status=status, content_type=JSON, body=orjson.dumps(document))
