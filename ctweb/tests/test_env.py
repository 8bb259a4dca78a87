import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest

from apps.trading.credentials.sealing import PrivateKey
from ctweb.conf.stores import databases
from ctweb.env import ROOT, ConfigurationError, load, own_secret


@pytest.fixture
def setting(monkeypatch, tmp_path):
    for name in ("SECRET_KEY", "CT_SIMULATOR_URL", "DATABASE_URL", "SOURCE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CT_DATA_DIR", str(tmp_path))
    return monkeypatch.setenv


def test_a_run_without_any_setting_is_the_embedded_one(setting, tmp_path):
    found = load()
    assert found.embedded
    assert found.database_url == f"sqlite:///{tmp_path}/ct.sqlite3"
    assert (found.port, found.source, found.orderbook_depth, found.publish_hz) == (8080, "simulator", 20, 10)
    assert found.simulator_url == "http://127.0.0.1:8090"  # loopback: nothing ever goes out by default


def test_the_embedded_run_makes_its_secret_once_for_its_owner_only(setting, tmp_path):
    first, second = load(), load()
    assert first.secret_key == second.secret_key
    assert len(first.secret_key) >= 50
    assert stat.S_IMODE((tmp_path / "run" / "secret.key").stat().st_mode) == 0o600


def test_the_folder_of_the_embedded_run_is_made_for_its_owner_only(setting, tmp_path):
    setting("CT_DATA_DIR", str(tmp_path / "new" / "var"))
    load()
    assert stat.S_IMODE((tmp_path / "new" / "var").stat().st_mode) == 0o700


def test_those_who_start_together_agree_on_the_secret(tmp_path):
    path, numbers = tmp_path / "secret", count()
    with ThreadPoolExecutor(8) as threads:
        found = set(threads.map(lambda _: own_secret(path, lambda: f"secret {next(numbers)}"), range(8)))
    assert len(found) == 1
    assert list(tmp_path.iterdir()) == [path]


def test_a_run_with_a_database_of_its_own_needs_a_secret(setting):
    setting("DATABASE_URL", "mysql://ct@db/ct")
    with pytest.raises(ConfigurationError, match="SECRET_KEY"):
        load()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("PORT", value) for value in ("0", "65536", "-1", "http", "", "80.5")),
        *(("SOURCE", value) for value in ("Live", "", "binance")),
        *(("CT_PAIRS_PER_CONNECTION", value) for value in ("0", "51", "x")),
        *(("CT_MAX_CONNECTIONS", value) for value in ("0", "21")),
        *(("CT_ORDERBOOK_DEPTH", value) for value in ("21", "-1", "full")),
        *(("CT_BATCH_SIZE", value) for value in ("0", "1e6", "-5")),
        *(("CT_BATCH_INTERVAL_S", value) for value in ("0", "nan", "inf", "-1")),
        *(("CT_HISTORY_DAYS", value) for value in ("0", "99999")),
        *(("CT_DEFAULT_STRATEGY", value) for value in ("", "two words", "x" * 101)),
        *(("CT_PUBLISH_HZ", value) for value in ("0", "51")),
        *(("CT_ROLE", value) for value in ("admin", "")),
        *(("CT_DAEMON_ID", value) for value in ("", "a b", "x" * 65, "../x")),
        *(("CT_LOG_LEVEL", value) for value in ("info", "LOUD")),
        *(("CT_EMBEDDED", value) for value in ("maybe", "2")),
        *(("CT_ALLOWED_HOSTS", value) for value in ("*", "a.example,*", "*.example")),
        *(("DATABASE_URL", value) for value in ("postgres://h/db", "ct.sqlite3", "mysql")),
        *(("REDIS_URL", value) for value in ("127.0.0.1:6379", "http://127.0.0.1", "redis://h:99999")),
        *(("CLICKHOUSE_URL", value) for value in ("clickhouse://h", "http://h:x")),
        *(("CT_SIMULATOR_URL", value) for value in ("ws://127.0.0.1:1", "127.0.0.1:1")),
        *(("CT_PAGER_URL", value) for value in ("pager.example", "ftp://pager.example/x", "file:///etc/passwd")),
        *(("CT_PAGER_EMAIL_TO", value) for value in ("anna", "anna@desk.example, x", "a b@c", "<a@b>")),
        *(
            ("CT_SMTP_URL", value)
            for value in ("mail.example", "http://mail.example", "smtp://u:p@mail.example", "smtps:/x")
        ),
        *(("CT_SECOND_FACTOR", value) for value in ("", "none", "Live")),
        *(("CT_SEAL_PUBLIC_KEY", value) for value in ("", "key", "ct-seal-private-1:" + "A" * 43 + "=")),
        ("SECRET_KEY", "short"),
        ("SECRET_KEY_FILE", "/nowhere/secret"),
    ],
)
def test_a_bad_setting_is_refused_by_name_in_one_line(setting, name, value):
    setting(name, value)
    with pytest.raises(ConfigurationError) as refused:
        load()
    assert name in str(refused.value)
    assert "\n" not in str(refused.value)


def test_all_bad_settings_are_named_at_once(setting):
    setting("PORT", "x")
    setting("CT_PUBLISH_HZ", "0")
    with pytest.raises(ConfigurationError, match=r"CT_PUBLISH_HZ: .*; PORT: "):
        load()


def test_a_secret_may_come_in_a_file(setting, tmp_path):
    (tmp_path / "key").write_text("k" * 40 + "\n")
    setting("SECRET_KEY_FILE", str(tmp_path / "key"))
    assert load().secret_key == "k" * 40


def test_a_private_key_in_the_place_of_the_public_one_is_refused_without_being_shown(setting):
    setting("CT_SEAL_PUBLIC_KEY", PrivateKey.generate().secret_text)
    with pytest.raises(ConfigurationError) as refused:
        load()
    assert os.environ["CT_SEAL_PUBLIC_KEY"][-20:] not in str(refused.value)


def test_the_public_half_of_a_sealing_key_is_taken_from_its_file(setting, tmp_path):
    public = PrivateKey.generate().public.text
    (tmp_path / "public").write_text(f"{public}\n")
    setting("CT_SEAL_PUBLIC_KEY_FILE", str(tmp_path / "public"))
    found = load()
    assert (found.seal_public_key, found.seal_private_keys_file) == (public, None)


def test_the_file_of_the_private_keys_is_not_read_with_the_settings(setting, tmp_path):
    (tmp_path / "ring").write_text("canary")
    setting("CT_SEAL_PRIVATE_KEYS_FILE", str(tmp_path / "ring"))
    found = load()
    assert found.seal_private_keys_file == tmp_path / "ring"
    assert "canary" not in str(vars(found))


def test_the_real_exchanges_have_no_simulator(setting):
    setting("SOURCE", "live")
    setting("CT_SIMULATOR_URL", "http://127.0.0.1:1")
    assert load().simulator_url is None


def test_a_folder_that_cannot_be_written_is_named(setting):
    setting("CT_DATA_DIR", "/proc/ct")
    with pytest.raises(ConfigurationError, match="CT_DATA_DIR"):
        load()


@pytest.mark.parametrize(("value", "found"), [("", None), ("https://pager.example/k", "https://pager.example/k")])
def test_a_pager_that_is_left_empty_is_none(setting, value, found):
    setting("CT_PAGER_URL", value)
    assert load().pager_url == found


def test_who_is_written_to_and_by_which_server_comes_from_the_environment(setting):
    setting("CT_PAGER_EMAIL_TO", "anna@desk.example, boris@desk.example")
    setting("CT_SMTP_URL", "smtps://u:p@mail.example")
    found = load()
    assert found.pager_email_to == ["anna@desk.example", "boris@desk.example"]
    assert found.smtp_url == "smtps://u:p@mail.example"


def test_nobody_is_written_to_where_both_are_left_empty(setting):
    setting("CT_PAGER_EMAIL_TO", "")
    setting("CT_SMTP_URL", "")
    assert (load().pager_email_to, load().smtp_url) == ([], None)


@pytest.mark.parametrize(("database", "found"), [(None, "live"), ("mysql://ct@db/ct", "all")])
def test_a_deployment_asks_for_a_second_factor_on_paper_too(setting, monkeypatch, database, found):
    monkeypatch.delenv("CT_SECOND_FACTOR", raising=False)
    setting("SECRET_KEY", "k" * 40)
    if database is None:
        monkeypatch.delenv("DATABASE_URL", raising=False)
    else:
        setting("DATABASE_URL", database)
    assert load().second_factor == found


def test_settings_do_not_show_their_secrets(setting):
    setting("SECRET_KEY", "canary" * 10)
    assert "canary" not in repr(load())


@pytest.mark.parametrize(
    "command",
    [
        ["manage.py", "check"],
        ["-m", "celery", "-A", "ctweb", "worker"],
        ["-m", "uvicorn", "ctweb.asgi:application", "--port", "0"],
    ],
)
def test_a_bad_setting_stops_every_process_with_one_line(command, tmp_path):
    environment = {**os.environ, "PORT": "99999", "CT_DATA_DIR": str(tmp_path)}
    ran = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )
    assert ran.returncode not in (0, None)
    assert "Traceback" not in ran.stderr
    (line,) = ran.stderr.strip().splitlines()
    assert line.startswith("Bad settings: PORT: ")


def test_a_web_process_that_is_told_where_the_private_keys_are_does_not_start(tmp_path):
    environment = {**os.environ, "CT_DATA_DIR": str(tmp_path), "CT_SEAL_PRIVATE_KEYS_FILE": str(tmp_path / "ring")}
    command = [sys.executable, "-m", "uvicorn", "ctweb.asgi:application", "--port", "0"]
    ran = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert ran.returncode != 0
    (line,) = ran.stderr.strip().splitlines()
    assert line.startswith("Bad settings: CT_SEAL_PRIVATE_KEYS_FILE: ")


@pytest.mark.parametrize(("embedded", "secure", "hsts_s"), [("", "True", "31536000"), ("1", "False", "0")])
def test_cookies_of_a_deployment_travel_by_https_only(embedded, secure, hsts_s, tmp_path):
    environment = {name: value for name, value in os.environ.items() if name != "CT_EMBEDDED"} | {
        "CT_DATA_DIR": str(tmp_path),
        "DATABASE_URL": "sqlite:///ct.sqlite3",
        "SECRET_KEY": "k" * 40,
        **({"CT_EMBEDDED": embedded} if embedded else {}),
    }
    show = (
        "from ctweb import settings as s; print(s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE, s.SECURE_HSTS_SECONDS)"
    )
    ran = subprocess.run([sys.executable, "-c", show], cwd=ROOT, env=environment, capture_output=True, text=True)
    assert ran.stdout.split() == [secure, secure, hsts_s], ran.stderr


def test_a_database_by_url_keeps_what_the_url_says():
    found = databases("mysql://ct:pw@db:3307/ct?unix_socket=/run/x.sock")["default"]
    assert (found["HOST"], found["PORT"], found["NAME"]) == ("db", 3307, "ct")
    assert found["OPTIONS"]["unix_socket"] == "/run/x.sock"
    assert found["OPTIONS"]["charset"] == "utf8mb4"


def test_sqlite_lies_where_it_is_said(tmp_path: Path):
    assert databases(f"sqlite:///{tmp_path}/a.sqlite3")["default"]["NAME"] == f"{tmp_path}/a.sqlite3"
