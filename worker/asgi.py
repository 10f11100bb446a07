"""The callback service for an ASGI server of one's own: `uvicorn worker.asgi:application`, with the same settings.

Importing it makes the application object and no more; settings and Redis come when the server starts it.
"""

import sys

from starlette.types import Message, Receive, Scope, Send

from config.errors import ConfigError
from worker.callbacks import make_application

_service = make_application()


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve; a server that starts is told in one sentence what setting is wrong or missing."""

    async def tell(message: Message) -> None:
        error = sys.exception()  # Starlette sends its traceback while it handles it
        await send({**message, "message": str(error)} if isinstance(error, ConfigError) else message)

    await _service(scope, receive, tell if scope["type"] == "lifespan" else send)
