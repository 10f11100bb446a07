from pathlib import Path

import pytest

from config.errors import ConfigError
from config.settings import Settings, load_environ, load_settings

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _nowhere(monkeypatch, tmp_path):
    """No variable of ours, and no .env."""
    monkeypatch.chdir(tmp_path)
    for field in Settings.model_fields:
        monkeypatch.delenv(f"BULKSEND_{field.upper()}", raising=False)


def test_everything_has_a_default():
    settings = load_settings()
    assert settings.redis_url is None
    assert settings.broker_url is None
    assert settings.accounts_file == Path("config/accounts.toml")
    assert settings.public_url is None
    assert settings.callback_secret is None
    assert (settings.log_format, settings.log_level) == ("console", "INFO")
    assert settings.allow_volatile is False
    assert (settings.replicas, settings.jitter_ms) == (0, 10.0)


def test_the_environment_wins_over_the_env_file_and_an_empty_variable_is_unset(monkeypatch):
    Path(".env").write_text(
        "BULKSEND_LOG_LEVEL=error\nBULKSEND_REPLICAS=1\nBULKSEND_JITTER_MS=\nEXOTEL_API_KEY=made-up\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("BULKSEND_REPLICAS", "2")
    settings = load_settings()
    assert (settings.log_level, settings.replicas, settings.jitter_ms) == ("ERROR", 2, 10.0)


def test_the_public_url_loses_its_last_slash(monkeypatch):
    monkeypatch.setenv("BULKSEND_PUBLIC_URL", "https://sms.example/hooks/")
    assert load_settings().public_url == "https://sms.example/hooks"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("REDIS_URL", "amqp://user:hunter2@host"),
        ("REDIS_URL", "redis://user:hunter2@host:hunter2/0"),
        ("REDIS_URL", "redis://user:hunter2@[host/0"),
        ("REDIS_URL", "unix://"),
        ("BROKER_URL", "sqs://user:hunter2@host"),
        ("BROKER_URL", "amqp://user:hunter2@host:hunter2/"),
        ("PUBLIC_URL", "sms.example"),
        ("PUBLIC_URL", "https://sms.example/?token=hunter2"),
        ("LOG_FORMAT", "hunter2"),
        ("LOG_LEVEL", "hunter2"),
        ("ALLOW_VOLATILE", "hunter2"),
        ("REPLICAS", "-1"),
        ("JITTER_MS", "hunter2"),
        ("CALLBACK_SECRET", "hunter2\udcff"),
        ("PUBLIC_URL", "https://sms.example/hunter2\udcff"),
    ],
)
def test_a_wrong_variable_is_named_and_its_value_is_not(monkeypatch, name, value):
    monkeypatch.setenv(f"BULKSEND_{name}", value)
    with pytest.raises(ConfigError) as caught:
        load_settings()
    assert str(caught.value).startswith(f"BULKSEND_{name} ")
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_switch_that_is_neither_on_nor_off_is_told_in_words(monkeypatch):
    monkeypatch.setenv("BULKSEND_ALLOW_VOLATILE", "perhaps")
    with pytest.raises(ConfigError, match=r"^BULKSEND_ALLOW_VOLATILE should be true or false$"):
        load_settings()


@pytest.mark.parametrize("name", ["REDIS_URL", "BROKER_URL"])
@pytest.mark.parametrize(
    ("value", "clause"),
    [
        ("redis://h/0?foo=hunter2", "has more behind its question mark than redis:// may: db, each once"),
        ("redis://h/0?socket_timeout=hunter2", "has more behind its question mark than redis:// may: db, each once"),
        ("redis://h/0?health_check_interval=1", "has more behind its question mark than redis:// may: db, each once"),
        ("redis://h/0?decode_responses=true", "has more behind its question mark than redis:// may: db, each once"),
        ("redis://h/0?ssl_cert_reqs=none", "has more behind its question mark than redis:// may: db, each once"),
        ("redis://h?db=1&db=2", "has more behind its question mark than redis:// may: db, each once"),
        ("redis://h?db=hunter2", "should have a number for db"),
        ("rediss://h?ssl_cert_reqs=hunter2", "should have none, optional or required for ssl_cert_reqs"),
        ("rediss://h?ssl_check_hostname=no", "should have true or false for ssl_check_hostname"),
        ("rediss://h?ssl_ca_certs=", "should have a text for ssl_ca_certs"),
        ("redis://h/hunter2", "should have the number of a database for its path, as in redis://HOST:PORT/0"),
        ("redis://h/0/1", "should have the number of a database for its path, as in redis://HOST:PORT/0"),
        ("redis://hunter..2", "has a host that can not be one"),
        (f"redis://{300 * 'a'}", "has a host that can not be one"),
        ("redis://h%00", "has a zero byte in it"),
        ("redis://:\udcff@h", "is not UTF-8"),
    ],
)
def test_an_address_of_redis_that_a_client_would_fail_on_is_refused_at_once(monkeypatch, name, value, clause):
    monkeypatch.setenv(f"BULKSEND_{name}", value)
    with pytest.raises(ConfigError) as caught:
        load_settings()
    assert str(caught.value) == f"BULKSEND_{name} {clause}"


@pytest.mark.parametrize("query", ["foo=1", "db=x", "ssl_cert_reqs=none", "db=1&db=2"])
def test_a_socket_of_redis_has_no_option_but_its_database(monkeypatch, query):
    monkeypatch.setenv("BULKSEND_REDIS_URL", f"unix:///run/redis.sock?{query}")
    with pytest.raises(ConfigError, match=r"^BULKSEND_REDIS_URL (has more behind|should have a number)"):
        load_settings()


@pytest.mark.parametrize(
    "url",
    [
        "redis://h",
        "redis://[::1]:6380/",
        "redis://:p%2Fq@b\u00fccher.example./15",
        "rediss://u:p@h?db=3&ssl_ca_certs=/a%20b.pem&ssl_cert_reqs=optional&ssl_check_hostname=False",
        "unix://:p@/run/a%20b/redis.sock?db=2",
    ],
)
def test_an_address_of_redis_is_taken_as_it_is(monkeypatch, url):
    monkeypatch.setenv("BULKSEND_REDIS_URL", url)
    assert load_settings().redis_url == url


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("CALLBACK_SECRET", "change-me", "is a placeholder: give a long random text"),
        ("CALLBACK_SECRET_BEFORE", "change-me", "is a placeholder: give a long random text"),
        ("REDIS_URL", "redis://:change-me@redis:6379/0", "has a placeholder for a password"),
        ("REDIS_URL", "redis://bulksend:%3Cpassword%3E@redis:6379/0", "has a placeholder for a password"),
        ("REDIS_URL", "unix://:xxxx@/run/redis.sock", "has a placeholder for a password"),
        ("BROKER_URL", "amqp://bulksend:changeme@rabbit:5672/", "has a placeholder for a password"),
    ],
)
def test_a_secret_that_nobody_filled_in_is_refused(monkeypatch, name, value, sentence):
    monkeypatch.setenv(f"BULKSEND_{name}", value)
    with pytest.raises(ConfigError) as caught:
        load_settings()
    assert str(caught.value) == f"BULKSEND_{name} {sentence}"


def test_an_unreadable_env_file_is_one_sentence():
    Path(".env").write_bytes(b"BULKSEND_LOG_LEVEL=\xff\n")
    for read in (load_settings, load_environ):
        with pytest.raises(ConfigError, match=r"^\.env can not be read: it is not UTF-8$"):
            read()


def test_no_secret_is_in_the_repr(monkeypatch):
    monkeypatch.setenv("BULKSEND_REDIS_URL", "redis://:hunter2@host/0")
    monkeypatch.setenv("BULKSEND_BROKER_URL", "amqp://user:hunter2@host/")
    monkeypatch.setenv("BULKSEND_CALLBACK_SECRET", "hunter2")
    monkeypatch.setenv("BULKSEND_CALLBACK_SECRET_BEFORE", "hunter2")
    assert "hunter2" not in repr(load_settings())


def test_the_present_secret_signs_and_the_one_before_is_still_believed(monkeypatch):
    monkeypatch.setenv("BULKSEND_CALLBACK_SECRET_BEFORE", "old")
    with pytest.raises(ConfigError, match=r"^delivery reports need BULKSEND_CALLBACK_SECRET: set it to"):
        load_settings().callback_secrets  # noqa: B018 - the property is what complains
    monkeypatch.setenv("BULKSEND_CALLBACK_SECRET", "new")
    assert load_settings().callback_secrets == ("new", "old")
    monkeypatch.delenv("BULKSEND_CALLBACK_SECRET_BEFORE")
    assert load_settings().callback_secrets == ("new",)


def test_credentials_are_looked_up_in_the_environment_then_in_the_env_file(monkeypatch):
    Path(".env").write_text("EXOTEL_API_KEY=from-file\nEXOTEL_API_TOKEN=from-file\nBARE\n", encoding="utf-8")
    monkeypatch.setenv("EXOTEL_API_KEY", "from-process")
    monkeypatch.delenv("EXOTEL_API_TOKEN", raising=False)
    environ = load_environ()
    assert (environ["EXOTEL_API_KEY"], environ["EXOTEL_API_TOKEN"]) == ("from-process", "from-file")
    assert "BARE" not in environ


def test_the_example_has_every_setting_and_is_the_default():
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    listed = {line.split("=")[0] for line in example.splitlines() if line.startswith("BULKSEND_")}
    assert listed == {f"BULKSEND_{field.upper()}" for field in Settings.model_fields}
    Path(".env").write_text(example, encoding="utf-8")
    assert load_settings() == Settings(_env_file=None)
