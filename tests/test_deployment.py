"""The container files fit the code: every setting is one that the processes read, and the Dockerfile is clean."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ctweb.env import load
from tests.fixtures.captures import ROOT

COMPOSE = yaml.safe_load((ROOT / "docker" / "compose.yaml").read_text())
OUR_PROCESSES = ("migrate", "web", "daemon", "orders", "jobs", "beat")


def filled(value: str) -> str:
    """Compose's own interpolation, with one answer for every variable that has no default."""
    return re.sub(r"\$\{\w+(?::-([^}]*)|:\?[^}]*)?\}", lambda found: "s" * 32 if found[1] is None else found[1], value)


@pytest.mark.parametrize("process", OUR_PROCESSES)
def test_the_settings_of_every_container_are_accepted(process: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    settings = COMPOSE["services"][process]["environment"]
    public = tmp_path / "seal.public"
    public.write_text("ct-seal-public-1:" + 43 * "A" + "=")
    for name, value in settings.items():
        monkeypatch.setenv(name, str(public) if name == "CT_SEAL_PUBLIC_KEY_FILE" else filled(value))
    monkeypatch.setenv("CT_EMBEDDED", "false")
    found = load()
    assert found.source == "live"
    assert found.database_url.startswith("mysql://")
    assert {found.redis_url, found.clickhouse_url} == {
        filled(settings[name]) for name in ("REDIS_URL", "CLICKHOUSE_URL")
    }


def test_the_jobs_container_serves_the_spool_of_the_daemon():
    daemon, jobs = COMPOSE["services"]["daemon"], COMPOSE["services"]["jobs"]
    assert daemon["hostname"] == jobs["hostname"]
    assert f"flush.{daemon['hostname']}," in jobs["command"]
    assert set(jobs["volumes"]) <= set(daemon["volumes"])


def test_only_executors_are_told_where_the_private_keys_are():
    services = COMPOSE["services"]
    told = {name for name, one in services.items() if "CT_SEAL_PRIVATE_KEYS_FILE" in one.get("environment", {})}
    assert told == {"daemon", "orders"}
    assert all("keys:/keys:ro" in services[name]["volumes"] for name in told)
    others = {name for name, one in services.items() if any("keys:" in each for each in one.get("volumes", []))} - told
    assert others == {"keys"}


def test_every_variable_without_a_default_stands_in_the_example():
    text = (ROOT / "docker" / "compose.yaml").read_text()
    wanted = set(re.findall(r"\$\{(\w+):\?", text))
    given = set(re.findall(r"^(\w+)=", (ROOT / "docker" / "example.env").read_text(), re.MULTILINE))
    assert wanted <= given


def test_the_dockerfile_is_clean():
    linter = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    assert linter is not None
    run = subprocess.run([linter, ROOT / "docker" / "Dockerfile"], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout
