"""The callback service for an ASGI server of one's own: `uvicorn worker.asgi:application`, with the same settings.

Importing it makes the application object and no more; settings and Redis come when the server starts it.
"""

from worker.callbacks import make_application

application = make_application()
