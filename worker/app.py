"""The Celery application: `celery -A worker.app worker`, `beat` and `flower` all start from here."""

import sys
from typing import Any

from celery import Celery
from celery.app.amqp import AMQP
from celery.signals import setup_logging
from kombu.connection import Connection
from kombu.utils.objects import cached_property

from config.errors import ConfigError
from config.logging import configure_logging
from config.settings import load_settings
from worker.runtime import RuntimeStep


class PromptConnection(Connection):
    """Asks a broker that is away again every 3 s at the latest; kombu waits up to 30 s, and no doorbell is heard."""

    def ensure_connection(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - kombu's signature
        """Return this connection once the broker answers."""
        often = {"interval_start": 1, "interval_step": 1, "interval_max": 3}
        return super().ensure_connection(*args, **{**options, **often})  # type: ignore[no-untyped-call]


class PromptAmqp(AMQP):
    """Celery's own, with our connections."""

    Connection = PromptConnection


class Bulksend(Celery):
    """Celery's own, with our beat, which is imported where it is started, and one sentence for a wrong setting."""

    def on_configure(self) -> None:
        """End `celery …` with 2 where a setting is wrong; whatever else needs the options has looked at them by now."""
        try:
            load_settings()
        except ConfigError as error:
            sys.stderr.write(f"{error}\n")
            raise SystemExit(2) from None

    @cached_property
    def Beat(self) -> Any:  # noqa: ANN401, N802 - Celery's name
        """The class that `celery beat` runs."""
        return self.subclass_with_self("worker.beat:BulksendBeat")


def make_app() -> Celery:
    """Make the application; its options are read from `config.celery_options` when they are first needed."""
    celery = Bulksend("bulksend", amqp=PromptAmqp)
    celery.config_from_object("config.celery_options")
    celery.steps["worker"].add(RuntimeStep)
    setup_logging.connect(_log_our_way, weak=False)
    return celery


def _log_our_way(**_: object) -> None:
    configure_logging(load_settings())


app = make_app()
