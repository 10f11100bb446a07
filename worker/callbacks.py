"""The callback service: takes in what gateways report, and answers before anybody reads it.

A body is in Redis's stream before its gateway is told 200; where Redis is away it is told 503 and tries again. Who
does not know a signed URL learns nothing, costs nothing and changes nothing. No number, body or token is ever logged.

`bulksend callbacks` serves it; so does any ASGI server, which gets it from `worker.asgi:application` or makes it with
`uvicorn --factory worker.callbacks:make_application`.
"""

import asyncio
import gc
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial

import redis.asyncio
import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from config.errors import ConfigError
from config.logging import configure_logging
from config.settings import NO_REDIS, Settings, load_settings
from worker.callback_body import EarlyRefusal, Limits, NotRead, read_body, refusal
from worker.callback_metrics import CONTENT_TYPE, CallbackMetrics, Fate
from worker.domain.callback_token import WHOLE_ACCOUNT, is_signed
from worker.domain.ids import AccountName, CampaignId
from worker.gateways.reports import Understood, Unreadable, understand
from worker.ledger.connection import connect_async
from worker.ledger.errors import LedgerError
from worker.ledger.inbox import Posted, akeep_unreadable, append_reports, posts_waiting
from worker.report_bell import Bell, ring_receive
from worker.report_box import ReportBox

log = structlog.stdlib.get_logger("bulksend.callbacks")

KEEP_S = 5.0
"""How long Redis may take; gateways wait 10 s for an answer (Skycore, postbacks; gateways' other pages say as much)."""

LIMITS = Limits()

_BATCH = re.compile(r"[1-9][0-9]{0,9}", re.ASCII)
_NOT_READ = {
    NotRead.TOO_SLOW: (408, Fate.TOO_SLOW),
    NotRead.CUT_OFF: (400, Fate.CUT_OFF),
    NotRead.STOPPED: (503, Fate.CUT_OFF),
}


def make_application(
    settings: Settings | None = None, *, limits: Limits = LIMITS, ring: Callable[[], None] = ring_receive
) -> Starlette:
    """Make the application; nothing is read or connected before its server starts it.

    Without `settings` it reads its own then, and sets up logging. `ring` is called in a thread once reports are kept.
    """
    return _Service(settings, limits, ring).application()


class _Service:
    """What one application knows: its secrets, its way into the stream, and its counts."""

    def __init__(self, settings: Settings | None, limits: Limits, ring: Callable[[], None]) -> None:
        self._settings, self._limits = settings, limits
        self._metrics = CallbackMetrics()
        self._bell = Bell(ring)
        self._is_away = False
        self._secrets: tuple[str, ...] = ()
        self._redis: redis.asyncio.Redis
        self._box: ReportBox

    def application(self) -> Starlette:
        routes = [
            Route("/reports/{account}/{campaign}/{batch}/{token}", self._post, methods=["POST"]),
            Route("/reports/{account}/{token}", self._post, methods=["POST"]),
            Route("/healthz", self._healthz),
            Route("/metrics", self._show_metrics),
        ]
        made = Starlette(routes=routes, lifespan=self._lifespan, exception_handlers={HTTPException: _nothing})
        made.router.redirect_slashes = False
        return made

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        settings = self._settings
        if settings is None:
            settings = load_settings()
            configure_logging(settings)
        if settings.redis_url is None:
            raise ConfigError(NO_REDIS)
        self._secrets = settings.callback_secrets
        # What is imported lives as long as the process; left to the collector it would hold answers up again and again.
        gc.collect()
        gc.freeze()
        self._bell.start()
        async with connect_async(settings.redis_url) as client:
            self._redis, self._box = client, ReportBox(partial(append_reports, client))
            yield
        await asyncio.to_thread(self._bell.stop)

    async def _post(self, request: Request) -> Response:
        address = self._address(request)
        if address is None:
            self._metrics.count(Fate.BAD_TOKEN)
            return EarlyRefusal(404)
        body = await read_body(request, self._limits)
        if body is NotRead.TOO_LARGE:
            self._metrics.count(Fate.TOO_LARGE)
            return EarlyRefusal(413)
        if isinstance(body, NotRead):
            return self._refusal(*_NOT_READ[body])
        began = time.perf_counter()
        account, campaign, batch = address
        try:
            async with asyncio.timeout(KEEP_S):
                answer = await self._take_in(Posted(account=account, campaign=campaign, batch=batch, body=body))
        except (LedgerError, TimeoutError) as error:
            self._tell_away(error)
            answer = self._refusal(503, Fate.REDIS_AWAY)
        self._metrics.observe_answer(time.perf_counter() - began)
        return answer

    def _address(self, request: Request) -> tuple[AccountName, CampaignId, int] | None:
        """Return account, campaign and batch of a signed URL."""
        parts = request.path_params
        account, (campaign, batch) = AccountName(parts["account"]), WHOLE_ACCOUNT
        if "batch" in parts:
            if not _BATCH.fullmatch(parts["batch"]):
                return None
            campaign, batch = CampaignId(parts["campaign"]), int(parts["batch"])
        good = is_signed(parts["token"], self._secrets, account, campaign, batch)
        return (account, campaign, batch) if good else None

    async def _take_in(self, posted: Posted) -> Response:
        understood = understand(posted.body)
        if isinstance(understood, Unreadable):
            await akeep_unreadable(self._redis, posted, datetime.now(UTC))
            return self._refusal(400, Fate.UNREADABLE)
        if understood.unreadable:
            await akeep_unreadable(self._redis, posted, datetime.now(UTC))
        if understood.reports:
            await self._box.keep(posted)
            self._tell_back()
            self._bell.ring()
        self._count(understood)
        return Response()

    def _count(self, understood: Understood) -> None:
        self._metrics.count(Fate.RECEIVED)
        self._metrics.count_parts(len(understood.reports), understood.passed_over)

    def _refusal(self, status: int, fate: Fate) -> Response:
        self._metrics.count(fate)
        return refusal(status)

    def _tell_away(self, error: Exception) -> None:
        if not self._is_away:
            self._is_away = True
            log.error("reports.refused", why=str(error) or f"Redis did not answer within {KEEP_S:g} s")

    def _tell_back(self) -> None:
        if self._is_away:
            self._is_away = False
            log.info("reports.taken_again")

    async def _healthz(self, _: Request) -> Response:
        return Response(status_code=503 if await self._waiting() is None else 200)

    async def _show_metrics(self, _: Request) -> Response:
        waiting = await self._waiting()
        return Response(self._metrics.text(waiting), media_type=CONTENT_TYPE)

    async def _waiting(self) -> int | None:
        """Return how many posts are not applied yet, `None` where Redis does not say."""
        try:
            async with asyncio.timeout(KEEP_S):
                return await posts_waiting(self._redis)
        except (LedgerError, TimeoutError):
            return None


async def _nothing(_: Request, error: Exception) -> Response:
    """Answer what is no URL of ours, or not with this method, with its status and nothing else."""
    status = error.status_code if isinstance(error, HTTPException) else 404
    return EarlyRefusal(status)
