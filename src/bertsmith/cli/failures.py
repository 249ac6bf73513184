"""From any exception to the lines that a person reads and the exit code that a program reads."""

import errno
import os
import shlex
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path

from bertsmith.errors import BertsmithError, DataError, Interrupted, MachineError
from bertsmith.files import disk_errors
from bertsmith.messages import Phrase

BROKEN_PIPE = 141  # 128 + SIGPIPE, what a shell shows for a program whose reader went away
_UNREADABLE = (errno.ENOENT, errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)
_PACKAGES = {"sklearn": "scikit-learn", "charset_normalizer": "charset-normalizer"}  # where import and package differ
_NO_MEMORY = ("can't allocate memory", "out of memory", "Unable to allocate")

_ERROR = Phrase("error: ", "错误：")
_FAULTS = Phrase("error: {count} faults", "错误：共 {count} 处")
_OUR_FAULT = Phrase(
    "error: this is a fault of bertsmith, not of yours: {kind}: {message}\n  → please report it with the file {file}",
    "错误：这是 bertsmith 自身的缺陷，不是您的操作问题：{kind}：{message}\n  → 请附上文件 {file} 进行反馈",
)
_OUR_FAULT_SHOWN = Phrase(
    "error: this is a fault of bertsmith, not of yours: {kind}: {message}",
    "错误：这是 bertsmith 自身的缺陷，不是您的操作问题：{kind}：{message}",
)


def known_error(error: BaseException, words: Sequence[str]) -> BertsmithError | None:
    """The error that a person can mend behind an exception; None where it is a fault of the program.

    Args:
        error: what ended the command.
        words: the command line without the program's name, to say how to go on.
    """
    match error:
        case BertsmithError():
            return error
        case KeyboardInterrupt():
            return Interrupted(
                "stopped-by-hand",
                "stopped",
                do="run the same command again: {command}",
                command=shlex.join(["bertsmith", *words]),
            )
        case ModuleNotFoundError(name=str(name)) if name.split(".")[0] != "bertsmith":
            return MachineError(
                "missing-package",
                "the Python package {package} is missing",
                do="run `pip install {package}` in the environment of bertsmith",
                package=_PACKAGES.get(name.split(".")[0], name.split(".")[0]),
            )
        case OSError():
            return _of_the_disk(error)
    if isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and any(mark in str(error) for mark in _NO_MEMORY)):
        return MachineError(
            "out-of-memory",
            "the memory does not suffice: {reason}",
            do="make --micro-batch-tokens, --batch-size or the sequence length smaller, or close other programs, and run it again",
            reason=_first_line(error) or "MemoryError",
        )
    return None


def report(error: BertsmithError, language: str, words: Sequence[str] = ()) -> str:
    """The error for a person, with a mark in front; behind an interruption stands the command that goes on."""
    if isinstance(error, Interrupted):
        command = "" if "command" in error.values else "\n    " + shlex.join(["bertsmith", *words])
        return error.text(language) + command
    if error.also:
        return _FAULTS.text(language).format(count=_count(error)) + "\n" + error.text(language)
    return _ERROR.text(language) + error.text(language)


def report_own_fault(error: BaseException, language: str, environment: Mapping[str, str]) -> str:
    """A short text for a fault of the program; the traceback goes to a file, or is shown with BERTSMITH_DEBUG=1."""
    trace = "".join(traceback.format_exception(error))
    told = {"kind": type(error).__name__, "message": _first_line(error)}
    if environment.get("BERTSMITH_DEBUG", "0") not in ("", "0"):
        return trace + _OUR_FAULT_SHOWN.text(language).format(**told)
    try:
        descriptor, name = tempfile.mkstemp(prefix="bertsmith-fault-", suffix=".txt")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(trace)
    except OSError:
        return trace + _OUR_FAULT_SHOWN.text(language).format(**told)
    return _OUR_FAULT.text(language).format(**told, file=name)


def _of_the_disk(error: OSError) -> BertsmithError | None:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        try:
            with disk_errors(Path(error.filename or tempfile.gettempdir())):
                raise error
        except MachineError as told:
            return told
    if error.errno in _UNREADABLE and error.filename is not None:
        return DataError(
            "cannot-open",
            "it cannot be opened: {reason}",
            where=error.filename,
            do="check the path and its permissions",
            reason=error.strerror,
        )
    return None


def _count(error: BertsmithError) -> int:
    return 1 + sum(_count(other) for other in error.also)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0][:300]
