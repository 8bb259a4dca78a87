"""Every knob of the system, read from the environment once; `NAME_FILE` may name a file that holds the value."""

import os
import secrets
import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkstemp
from typing import cast
from urllib.parse import urlsplit

from environs import EnvValidationError, FileAwareEnv, ValidationError
from marshmallow.validate import Length, OneOf, Range, Regexp

ROOT = Path(__file__).resolve().parent.parent
VERSION = "0.1"
SOURCES = ("simulator", "replay", "live")
SECOND_FACTORS = ("live", "all")
ROLES = ("monitor", "trader", "both")
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
ADDRESS = Regexp(r"^[^@\s,<>\"]+@[^@\s,<>\"]+$", error="Must be an e-mail address.")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
PUBLIC_KEY = Regexp(r"^ct-seal-public-1:[A-Za-z0-9+/]{43}=$", error="Must be the public half of a sealing key.")


class ConfigurationError(SystemExit):
    """A setting that cannot be used. It ends whatever process reads the settings, with `str(error)` as its one line."""


@dataclass(frozen=True, kw_only=True)
class Environment:
    """What `load` found; README explains each. URLs may carry passwords: the secrets are kept out of `repr`."""

    port: int
    source: str
    embedded: bool
    secret_key: str
    allowed_hosts: list[str]
    data_dir: Path
    database_url: str
    redis_url: str
    clickhouse_url: str
    simulator_url: str | None  # None: the real exchanges
    captures_dir: Path | None
    role: str
    daemon_id: str
    pairs_per_connection: int
    max_connections: int
    orderbook_depth: int
    batch_size: int
    batch_interval_s: float
    history_days: int
    default_strategy: str
    max_open_orders: int
    second_person: bool
    second_factor: str
    publish_hz: int
    seal_public_key: str | None  # None: in the embedded run that of its data folder, else no keys are taken
    seal_private_keys_file: Path | None  # None: this process opens no exchange key
    id_namespace: str
    id_key: str | None  # None: this process makes no ids of orders
    build_id: str
    test_hooks: bool
    cancel_on_stop: bool
    celery_check_s: float
    halt_file: Path
    pager_url: str | None  # None: nobody is paged
    pager_email_to: list[str]  # empty: nobody is written to
    pager_email_from: str
    smtp_url: str | None
    log_level: str
    log_json: bool | None  # None: unless the log goes to a terminal

    def __repr__(self) -> str:
        return f"<Environment {self.data_dir}>"


def load() -> Environment:
    """Raise ConfigurationError naming every variable that is missing or wrong.

    The embedded run is the one that names no database of its own: its secret key is made on the spot and kept in
    its data folder. Every other run must bring a SECRET_KEY.
    """
    env = FileAwareEnv(eager=False, strip_whitespace=True)
    try:
        found = _read(env)
        env.seal()
    except EnvValidationError as error:
        raise ConfigurationError(_one_line(cast(dict[str, list[str]], error.error_messages))) from None
    except ValueError as error:  # a NAME_FILE that cannot be read
        raise ConfigurationError(f"Bad settings: {error}") from None
    return found


def _read(env: FileAwareEnv) -> Environment:
    embedded = env.bool("CT_EMBEDDED", not {"DATABASE_URL", "DATABASE_URL_FILE"} & os.environ.keys())
    source = env.str("SOURCE", "simulator", validate=OneOf(SOURCES))
    data_dir = _folder(Path(env.str("CT_DATA_DIR", None) or ROOT / "var").absolute(), 0o700 if embedded else 0o777)
    captures = env.path("CT_CAPTURES_DIR", None)
    private_keys = env.path("CT_SEAL_PRIVATE_KEYS_FILE", None)
    simulator = env.str("CT_SIMULATOR_URL", "http://127.0.0.1:8090", validate=_url("http", "https"))
    database = _url("sqlite", "mysql")
    return Environment(
        port=env.int("PORT", 8080, validate=Range(1, 65535)),
        source=source,
        embedded=embedded,
        secret_key=_secret_key(env, data_dir if embedded else None),
        allowed_hosts=env.list(
            "CT_ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]"], validate=_each(Regexp(r"^[^*\s]+$"))
        ),
        data_dir=data_dir,
        database_url=env.str("DATABASE_URL", f"sqlite:///{data_dir}/ct.sqlite3", validate=database),
        redis_url=env.str("REDIS_URL", "redis://127.0.0.1:6379/0", validate=_url("redis", "rediss", "unix")),
        clickhouse_url=env.str("CLICKHOUSE_URL", "http://127.0.0.1:8123/ct", validate=_url("http", "https")),
        simulator_url=None if source == "live" else simulator,
        captures_dir=captures.absolute() if captures else None,
        role=env.str("CT_ROLE", "both" if embedded else "monitor", validate=OneOf(ROLES)),
        daemon_id=env.str("CT_DAEMON_ID", "d1", validate=Regexp(r"^[A-Za-z0-9._-]{1,64}$")),
        pairs_per_connection=env.int("CT_PAIRS_PER_CONNECTION", 40, validate=Range(1, 50)),
        max_connections=env.int("CT_MAX_CONNECTIONS", 20, validate=Range(1, 20)),
        orderbook_depth=env.int("CT_ORDERBOOK_DEPTH", 20, validate=OneOf((20, 50, 0))),
        batch_size=env.int("CT_BATCH_SIZE", 50_000, validate=Range(1, 1_000_000)),
        batch_interval_s=env.float("CT_BATCH_INTERVAL_S", 5.0, validate=Range(0.1, 3600)),
        history_days=env.int("CT_HISTORY_DAYS", 30, validate=Range(1, 3650)),
        default_strategy=env.str("CT_DEFAULT_STRATEGY", "grid", validate=Regexp(r"^[A-Za-z0-9_.:-]{1,100}$")),
        max_open_orders=env.int("CT_MAX_OPEN_ORDERS", 200, validate=Range(1, 200)),
        second_person=env.bool("CT_SECOND_PERSON", True),
        second_factor=env.str("CT_SECOND_FACTOR", "live" if embedded else "all", validate=OneOf(SECOND_FACTORS)),
        publish_hz=env.int("CT_PUBLISH_HZ", 10, validate=Range(1, 50)),
        seal_public_key=env.str("CT_SEAL_PUBLIC_KEY", None, validate=PUBLIC_KEY),
        seal_private_keys_file=private_keys.absolute() if private_keys else None,
        id_namespace=env.str("CT_ID_NAMESPACE", "0", validate=Regexp(r"^[0-9a-f]$")),
        id_key=_id_key(env, data_dir if embedded else None),
        build_id=env.str("CT_BUILD_ID", None, validate=Regexp(r"^[A-Za-z0-9._-]{1,40}$")) or commit(),
        test_hooks=env.bool("CT_TEST_HOOKS", False),
        cancel_on_stop=env.bool("CT_CANCEL_ON_STOP", True),
        celery_check_s=env.float("CT_CELERY_CHECK_S", 10.0, validate=Range(0.1, 60)),
        halt_file=(env.path("CT_HALT_FILE", None) or data_dir / "HALT").absolute(),
        pager_url=env.str("CT_PAGER_URL", "", validate=_url("http", "https", needed=False)) or None,
        pager_email_to=env.list("CT_PAGER_EMAIL_TO", [], subcast=str.strip, validate=_each(ADDRESS)),
        pager_email_from=env.str("CT_PAGER_EMAIL_FROM", "ct-system@localhost", validate=ADDRESS),
        smtp_url=env.str("CT_SMTP_URL", "", validate=_mail_server) or None,
        log_level=env.str("CT_LOG_LEVEL", "INFO", validate=OneOf(LOG_LEVELS)),
        log_json=env.bool("CT_LOG_JSON", None),
    )


def _folder(path: Path, mode: int) -> Path:
    """`path`, made with `mode` unless it exists, with a `run` folder that can be written."""
    try:
        path.mkdir(mode, parents=True, exist_ok=True)
        (path / "run").mkdir(exist_ok=True)
    except OSError as error:
        raise ConfigurationError(f"Bad settings: CT_DATA_DIR: cannot write in {path} ({error.strerror})") from None
    if not os.access(path / "run", os.W_OK):
        raise ConfigurationError(f"Bad settings: CT_DATA_DIR: cannot write in {path} (no permission)")
    return path


def _secret_key(env: FileAwareEnv, data_dir: Path | None) -> str:
    if data_dir is None or {"SECRET_KEY", "SECRET_KEY_FILE"} & os.environ.keys():
        return env.str("SECRET_KEY", validate=Length(min=32, error="Must be at least 32 characters of chance."))
    return own_secret(data_dir / "run" / "secret.key", lambda: secrets.token_urlsafe(48))


def _id_key(env: FileAwareEnv, data_dir: Path | None) -> str | None:
    if data_dir is None or {"CT_ID_KEY", "CT_ID_KEY_FILE"} & os.environ.keys():
        return env.str("CT_ID_KEY", None, validate=Length(min=32, error="Must be at least 32 characters of chance."))
    return own_secret(data_dir / "run" / "id.key", lambda: secrets.token_urlsafe(48))


def commit() -> str:
    """Short hash of the clone's commit as this process starts, else the version: what it runs, whatever is pulled."""
    git = shutil.which("git") or "git"
    try:
        found = subprocess.run(
            [git, "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, timeout=5, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return VERSION
    return found.stdout.strip()


def own_secret(path: Path, make: Callable[[], str]) -> str:
    """The secret kept in `path` (mode 600), made on first use; processes that start together agree on one."""
    if not path.exists():
        descriptor, draft = mkstemp(dir=path.parent, prefix=path.name)
        with os.fdopen(descriptor, "w") as file:
            file.write(make())
        with suppress(FileExistsError):
            os.link(draft, path)  # whole or not at all, and only the first of several succeeds
        os.unlink(draft)
    return path.read_text()


def _url(*schemes: str, needed: bool = True) -> Callable[[str], None]:
    def validate(value: str) -> None:
        if not value and not needed:
            return
        try:
            parts = urlsplit(value)
            whole = parts.scheme in schemes and bool(parts.netloc or parts.path) and parts.port != 0
        except ValueError:  # a port or an address that is none
            whole = False
        if not whole:
            raise ValidationError(f"Must be a URL that starts with {' or '.join(f'{name}://' for name in schemes)}.")

    return validate


def _mail_server(value: str) -> None:
    _url("smtp", "smtp+tls", "smtps", needed=False)(value)
    parts = urlsplit(value)
    if value and not parts.hostname:
        raise ValidationError("Must name a host.")
    if parts.scheme == "smtp" and parts.password and parts.hostname not in LOOPBACK:
        raise ValidationError("The password would travel readable: smtps:// or smtp+tls://.")


def _each(check: Callable[[str], object]) -> Callable[[list[str]], None]:
    def validate(values: list[str]) -> None:
        for value in values:
            check(value)

    return validate


def _one_line(messages: dict[str, list[str]]) -> str:
    return "Bad settings: " + "; ".join(f"{name}: {' '.join(texts)}" for name, texts in sorted(messages.items()))
