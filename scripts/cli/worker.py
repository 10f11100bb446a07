"""worker: Celery's own worker, in this process, on the Redis that the command line chose.

In this process, so that the use of an embedded Redis ends exactly when the worker does, however it dies.
"""

import json
import os
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from celery.bin.celery import main as celery_main

from config.accounts import load_accounts
from config.errors import ConfigError
from config.settings import NO_REDIS, load_settings
from scripts.cli.options import Data, Json
from worker import app as celery_app
from worker.embedded import EmbeddedRedis


def worker(
    options: Annotated[
        list[str] | None,
        typer.Argument(metavar="[-- OPTIONS]", help="Options of Celery's worker, as in: -- --hostname w1@%h"),
    ] = None,
    *,
    data: Data = None,
    as_json: Json = False,
) -> None:
    """Send what is queued, until SIGTERM or Ctrl-C: then nothing more is taken, and calls on the wire are waited for.

    It is the same as: celery -A worker.app worker. Start as many as you like; they share each account's limits.
    """
    settings = load_settings()
    load_accounts(settings.accounts_file)
    if data is None and settings.redis_url is None:
        raise ConfigError(NO_REDIS)
    with _redis(data):
        if as_json:
            print(json.dumps({"pid": os.getpid()}), flush=True)
            os.dup2(2, 1)  # what Celery prints for people goes to standard error
        _serve(options or [])


def _redis(data: Path | None) -> AbstractContextManager[object]:
    if data is None:
        return nullcontext()
    server = EmbeddedRedis(data)
    os.environ["BULKSEND_REDIS_URL"] = server.start()
    return server


def _serve(options: list[str]) -> NoReturn:
    # By name, as anybody would start it; the module is imported already, so that no `worker` folder where the user
    # stands can be taken for ours.
    sys.argv = ["celery", "-A", celery_app.__name__, "worker", *options]
    sys.exit(celery_main())
