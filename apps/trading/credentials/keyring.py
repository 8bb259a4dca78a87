"""The files of the sealing keys: the private ring, for executors only, and its public half for the web process.

Both change by whole replacement, and a private key is on the disk before anything is sealed to it.
"""

import fcntl
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from apps.trading.credentials.sealing import BadKey, KeyRing, PrivateKey, PublicKey

PRIVATE_MODE, PUBLIC_MODE, FOLDER_MODE = 0o400, 0o444, 0o700
MOST_BYTES = 64_000  # some 1,000 keys

T = TypeVar("T")


class KeyFileRefused(Exception):
    """The file is not there, not its owner's alone, or holds no keys. The text names the file, never what it holds."""


class RingBusy(Exception):
    """Another process changes the ring or re-seals with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFiles:
    private: Path
    public: Path


def embedded(data_dir: Path) -> KeyFiles:
    """Where the embedded run keeps them."""
    return KeyFiles(private=data_dir / "keys" / "seal.private", public=data_dir / "keys" / "seal.public")


def make_once(files: KeyFiles) -> PublicKey:
    """Make the first key unless there is one, and write the public half where it is not that of the current key."""
    files.private.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    with alone(files.private, wait=True):
        if not files.private.exists():
            _replace(files.private, KeyRing([PrivateKey.generate()]).secret_text, PRIVATE_MODE)
        ring = read_ring(files.private)
        publish(ring.current, files.public)
    return ring.current


def read_ring(path: Path) -> KeyRing:
    """Raise KeyFileRefused, also when others than its owner may read the file."""
    return _read(path, KeyRing.parse, forbidden=0o077)


def read_public(path: Path) -> PublicKey:
    """Raise KeyFileRefused, also when others than its owner may write the file."""
    return _read(path, PublicKey.parse, forbidden=0o022)


def change(path: Path, ring: KeyRing) -> KeyRing:
    """Replace the private ring; the caller is `alone`. The old keys are gone with it unless `ring` has them."""
    _replace(path, ring.secret_text, PRIVATE_MODE)
    return read_ring(path)


def publish(key: PublicKey, path: Path) -> None:
    """Write the public half, unless it stands there."""
    text = f"{key.text}\n"
    if not path.exists() or path.read_text(errors="replace") != text:
        _replace(path, text, PUBLIC_MODE)


@contextmanager
def alone(private: Path, *, wait: bool = False) -> Iterator[None]:
    """Keep others from changing the ring; raise RingBusy, or wait. A process that dies lets go."""
    descriptor = os.open(private.with_name(f"{private.name}.lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RingBusy(f"{private}: another process works with it") from None
        yield
    finally:
        os.close(descriptor)


def _read(path: Path, parse: Callable[[str], T], forbidden: int) -> T:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            found = os.fstat(descriptor)
            if not stat.S_ISREG(found.st_mode):
                raise KeyFileRefused(f"{path}: not a file")
            if found.st_mode & forbidden:
                raise KeyFileRefused(f"{path}: open to others than its owner, mode {stat.S_IMODE(found.st_mode):o}")
            return parse(file.read(MOST_BYTES).decode("ascii"))
    except OSError as error:
        raise KeyFileRefused(f"{path}: {error.strerror}") from None
    except (BadKey, UnicodeDecodeError):
        raise KeyFileRefused(f"{path}: holds no key of the kind that is read from it") from None


def _replace(path: Path, text: str, mode: int) -> None:
    """Whole or not at all, and on the disk when this returns. One name for drafts: a kill leaves one at most."""
    draft = path.with_name(f"{path.name}.draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode), "w") as file:
        os.fchmod(file.fileno(), mode)  # whatever the umask takes away
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
