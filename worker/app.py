"""The Celery application: `celery -A worker.app worker`, `beat` and `flower` all start from here."""

from celery import Celery
from celery.signals import setup_logging

from config.logging import configure_logging
from config.settings import load_settings
from worker.runtime import RuntimeStep


def make_app() -> Celery:
    """Make the application; its options are read from `config.celery_options` when they are first needed."""
    celery = Celery("bulksend")
    celery.config_from_object("config.celery_options")
    celery.steps["worker"].add(RuntimeStep)
    setup_logging.connect(_log_our_way, weak=False)
    return celery


def _log_our_way(**_: object) -> None:
    configure_logging(load_settings())


app = make_app()
