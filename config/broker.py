"""The address of Redis in Celery's words: kombu spells a Unix socket, and a database, otherwise than redis-py does."""

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

UNSET_BROKER_URL = "redis://bulksend-redis-url-is-not-set.invalid:6379/0"
"""Where no Redis is configured: Celery's own default would be RabbitMQ on this machine. This host can not exist
(RFC 2606), and the error that comes of it names the setting."""


def broker_url_for(redis_url: str | None) -> str:
    """Translate `BULKSEND_REDIS_URL` for Celery's `broker_url`: the same server, the same database."""
    if redis_url is None:
        return UNSET_BROKER_URL
    parts = urlsplit(redis_url)
    query = dict(parse_qsl(parts.query))
    database = query.pop("db", None)
    if parts.scheme == "unix":
        query["virtual_host"] = database or "0"
        return f"redis+socket://{parts.netloc}{parts.path}?{urlencode(query)}"
    path = parts.path if database is None else f"/{database}"
    return urlunsplit(parts._replace(path=path, query=urlencode(query)))
