"""Celery's own options, read by `app.config_from_object("config.celery_options")`; the reason for each beside it.

Celery only rings doorbells here: a message may be lost, late or doubled and nothing is lost or sent twice with it.
"""

from config.broker import UNSET_BROKER_URL as _UNSET_URL
from config.broker import broker_url_for
from config.settings import load_settings

_settings = load_settings()
broker_url = broker_url_for(_settings.messages_url)

# Words of the Redis transport; RabbitMQ's passes over them.
broker_transport_options = {
    # A doorbell that a worker had reserved and not begun when it died rings again after so long; the sweep is faster.
    # It must be the same in all workers, because the shortest holds for all.
    "visibility_timeout": 120,
    # How often workers look for such doorbells, and how many of them may look at once.
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    # A connection that swallows bytes (half-open) hangs a worker for ever without these two; with them it takes 30 s.
    "socket_timeout": 10,
    "health_check_interval": 5,
    "socket_connect_timeout": 5,
    "socket_keepalive": True,
}
# A worker outlives a Redis that is away, at its start and later; 100 tries are the default.
broker_connection_retry_on_startup = True
broker_connection_max_retries = None

# Ids and counts only: JSON can not carry code.
task_serializer = "json"
result_serializer = "json"
event_serializer = "json"
accept_content = ["json"]

# The ledger keeps the outcomes; a second record in Celery could only contradict it.
result_backend = "disabled://"
task_ignore_result = True

# Our own queue, so that another application on the same Redis takes nothing from us.
task_default_queue = "bulksend"
include = ["tasks.drain", "tasks.receive", "tasks.schedule"]

# Tasks hand their work to one asyncio loop per process: a thread that waits is all that a running task costs.
worker_pool = "threads"
worker_concurrency = 64
# A worker reserves no more than it can start: what it reserves, no other worker can serve.
worker_prefetch_multiplier = 1
# A message counts as answered when its task is over, so that a killed worker's comes again; but see tasks/drain.py.
task_acks_late = True
# When Redis was away, running drains go on: threads can not be cancelled, and each guards itself by its attempt ids.
# Set in so many words because Celery warns otherwise.
worker_cancel_long_running_tasks_on_connection_loss = False

# Flower shows drains and batches from these events.
worker_send_task_events = True
task_send_sent_event = True

# Beat keeps its entries beside the ledger, also where the messages are RabbitMQ's. Any number of beats may run: one
# rings, the others wait for its lock. A bell that is lost or doubled does no harm (see tasks/schedule.py).
beat_scheduler = "redbeat.RedBeatScheduler"
redbeat_redis_url = _settings.redis_url or _UNSET_URL
redbeat_key_prefix = "bs:beat:"
# Said here, because the broker's options are not these; a Redis that swallows bytes must not hang beat.
redbeat_redis_options = {"socket_timeout": 10, "socket_connect_timeout": 5}
# When beat dies another rings after so many seconds; 25 minutes are the default. Each loop renews the lock.
redbeat_lock_timeout = 15
# New schedules are seen after so many seconds; 5 minutes are the default.
beat_max_loop_interval = 2

# config.logging owns the root logger, and standard output belongs to the commands.
worker_hijack_root_logger = False
worker_redirect_stdouts = False

timezone = "UTC"
enable_utc = True
