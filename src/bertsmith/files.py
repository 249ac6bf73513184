"""Files that are whole or not there: written beside their place, synced, renamed. Hashes of what is read."""

import errno
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from bertsmith.errors import MachineError

ASIDE = ".aside-"  # prefix of unfinished files and folders, so that a reader can tell them
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
_NO_LOCKS = (
    errno.ENOLCK,
    errno.ENOTSUP,
)  # of file systems on a network that know no locks; there nothing keeps a second writer out
# EEXIST: a file stands where a folder is to be made
_REFUSED = (
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.EEXIST,
    errno.ENAMETOOLONG,
    errno.ELOOP,
)


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn the operating system's refusals to write `path` into one clear error."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_SPACE:
            raise MachineError(
                "disk-full",
                "no space left while writing",
                where=path,
                do="free some space and run the same command again; what stood there before is unharmed",
            ) from error
        if error.errno in _REFUSED:
            raise MachineError(
                "cannot-write",
                "cannot be written: {reason}",
                where=path,
                do="choose a place that you may write to",
                reason=error.strerror,
            ) from error
        raise


def check_writable(path: Path) -> None:
    """Refuse a place that cannot take a file, before the work whose result goes there.

    Raises:
        MachineError: it is a folder, or its folder may not be written.
    """
    with disk_errors(path):
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent, prefix=ASIDE):
            pass


@contextmanager
def write_aside(path: Path, mode: str = "w") -> Iterator[IO[Any]]:
    """Open a file for writing that takes the place of `path` only when it is complete and on the disk.

    Args:
        path: the final place; its folder is made if needed.
        mode: `w` for UTF-8 text, `wb` for bytes.

    Raises:
        MachineError: the disk is full or the place may not be written; `path` is as it was before.
    """
    aside = path.parent / f"{ASIDE}{os.getpid()}-{path.name}"
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        text = {} if "b" in mode else {"encoding": "utf-8", "newline": ""}
        try:
            with open(aside, mode, **text) as file:  # type: ignore[call-overload]
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(aside, path)
            _sync_folder(path.parent)
        finally:
            aside.unlink(missing_ok=True)


@contextmanager
def write_folder_aside(path: Path) -> Iterator[Path]:
    """Fill a folder that takes the place of `path` only when every file in it is complete and on the disk.

    An older folder at `path` is replaced; a kill at any moment leaves the old or the new one whole (between the two
    renames the old one stands beside its place, and the next call puts it back).

    Raises:
        MachineError: the disk is full, the place may not be written, or another process is writing it; `path` is as it was before.
    """
    path = Path(os.path.realpath(path))  # a link stays, and what it points to is replaced
    aside = path.parent / f"{ASIDE}{path.name}"
    with disk_errors(path), sole_writer(path):
        replaced = path.parent / f"{ASIDE}old-{path.name}"
        if replaced.exists() and not path.exists():
            os.replace(replaced, path)
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir()
        try:
            yield aside
            replace_folder(aside, path)
        finally:
            shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def sole_writer(path: Path) -> Iterator[None]:
    """Hold the right to write `path`; the system gives it back when the process ends, however it ends.

    Raises:
        MachineError: another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if os.name == "nt":  # there a folder that is open cannot be renamed, which keeps a second writer out
        yield
        return
    lock = path.parent / f"{ASIDE}lock-{path.name}"
    descriptor = _locked(lock, path)
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)  # while it is held, so that nobody waits at a name that is gone
        os.close(descriptor)


def _locked(lock: Path, path: Path) -> int:
    import fcntl  # here, because Windows has none

    while True:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), lock.stat()):
                return descriptor
        except BlockingIOError as error:
            os.close(descriptor)
            raise MachineError(
                "being-written",
                "another process is writing it",
                where=path,
                do="wait until it is done, or choose another place",
            ) from error
        except FileNotFoundError:  # its holder ended between our two looks
            pass
        except OSError as error:
            if error.errno in _NO_LOCKS:
                return descriptor
            os.close(descriptor)
            raise
        os.close(descriptor)


def replace_folder(aside: Path, path: Path) -> None:
    """Let a complete folder beside `path` take its place when all its files are on the disk."""
    replaced = path.parent / f"{ASIDE}old-{path.name}"
    for file in aside.rglob("*"):
        if file.is_file():
            sync(file)
    _sync_folder(aside)
    if path.exists():
        shutil.rmtree(replaced, ignore_errors=True)
        os.replace(path, replaced)
    os.replace(aside, path)
    _sync_folder(path.parent)
    shutil.rmtree(replaced, ignore_errors=True)


def sync(path: Path) -> None:
    """Wait until the file's bytes are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_json(path: Path, value: object) -> None:
    """Write `value` as readable JSON, aside and renamed."""
    with write_aside(path) as file:
        file.write(json_text(value))


def json_text(value: object) -> str:
    """JSON as all our files have it: two blanks of indent, keys in their order, no escapes for other scripts."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hex, read in bounded memory."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of(data: bytes) -> str:
    """The SHA-256 of some bytes, in hex."""
    return hashlib.sha256(data).hexdigest()


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows cannot open a folder; its rename is durable enough for us
        return
    sync(folder)
