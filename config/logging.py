"""Logs: events with fields (`log.info("batch.settled", campaign=..., batch=...)`) on standard error.

Ids and counts only; a phone number, a body or a credential never reaches a logger. Standard output belongs to the
commands. Records of libraries pass through the same handler, so that one stream has one format.
"""

import logging
import sys

import structlog

from config.settings import Settings

_CHATTY = ("httpx", "httpcore")
"""They log every request's URL at INFO."""


def configure_logging(settings: Settings) -> None:
    """Set up structlog and the root logger for this process; a second call replaces the first."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_renderers(settings)],
        ),
    )
    logging.basicConfig(handlers=[handler], level=settings.log_level, force=True)
    logging.captureWarnings(capture=True)
    for name in _CHATTY:
        logging.getLogger(name).setLevel(logging.WARNING)


def _renderers(settings: Settings) -> list[structlog.typing.Processor]:
    # Tracebacks are plain in both formats: structlog's rich ones print local variables, and those hold numbers.
    if settings.log_format == "json":
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    return [
        structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(),
            exception_formatter=structlog.dev.plain_traceback,
        ),
    ]
