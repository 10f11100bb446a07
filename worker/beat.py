"""Celery's beat as it starts here: what is not configured, or does not answer, is one sentence and an exit status.

RedBeat ends with its Redis, and when it has lost its lock; whoever keeps the process starts it again, and bells that
were not rung meanwhile are rung by workers.
"""

import structlog
from celery.apps.beat import Beat
from redbeat.schedulers import get_redis
from redis.exceptions import RedisError

from config.settings import NO_REDIS, load_settings

log = structlog.stdlib.get_logger("bulksend.beat")


class BulksendBeat(Beat):
    """Celery's own, with our words for what can go wrong."""

    def start_scheduler(self) -> None:
        """Ring until SIGTERM; exits with 2 where no Redis is configured, with 1 where it does not do its part."""
        if load_settings().redis_url is None:
            self.setup_logging()
            log.error("beat.not_started", why=NO_REDIS)
            raise SystemExit(2)
        try:
            get_redis(self.app).ping()
            super().start_scheduler()
        except RedisError as error:
            self.setup_logging()
            log.error("beat.stopped", why=str(error))
            raise SystemExit(1) from None
