"""The address of Redis in Celery's words: kombu spells a socket, a database and TLS otherwise than redis-py does."""

from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

UNSET_BROKER_URL = "redis://bulksend-redis-url-is-not-set.invalid:6379/0"
"""Where no Redis is configured: Celery's own default would be RabbitMQ on this machine. This host can not exist
(RFC 2606), and the error that comes of it names the setting."""


def broker_url_for(url: str | None) -> str:
    """Translate `BULKSEND_REDIS_URL` for Celery's `broker_url`: the same server and database, as safely reached.

    A URL of RabbitMQ is in Celery's words already. Of another's query `db` becomes the path, and the `ssl_` options
    stay (`config.redis_url` lets no more in). Over TLS the certificate is checked unless `ssl_cert_reqs` says
    otherwise, as redis-py does; kombu by itself would not.
    """
    if url is None:
        return UNSET_BROKER_URL
    parts = urlsplit(url)
    if parts.scheme in {"amqp", "amqps"}:
        return url
    query = dict(parse_qsl(parts.query))
    database = query.get("db")
    if parts.scheme == "unix":
        return f"redis+socket://{parts.netloc}{parts.path}?{urlencode({'virtual_host': database or '0'})}"
    path = parts.path if database is None else f"/{database}"
    tls = {"ssl_cert_reqs": "required"} if parts.scheme == "rediss" else {}
    tls |= {name: value for name, value in query.items() if name != "db"}
    return urlunsplit(parts._replace(path=path, query=urlencode(tls)))
