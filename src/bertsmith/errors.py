"""The exception tree. Every error of a person's making says what was wrong, where, and what to do.

    BertsmithError
    ├── UsageError         exit 2   a flag or an argument
    │   └── ConfigError    exit 2   a field of a configuration or of the settings
    ├── DataError          exit 3   a corpus, a table, a token store, a vocabulary
    ├── CheckpointError    exit 4   a model folder or a weight file
    ├── RunFolderError     exit 4   a run folder or a training state
    ├── MachineError       exit 5   memory, disk, a missing extra, a device
    └── Interrupted        exit 130 Ctrl-C: the work so far is saved

The English text stands where the error is raised; the Chinese stands in `messages`, keyed by the code.
"""

from collections.abc import Sequence
from typing import Self

from bertsmith.messages import chinese, filled


class BertsmithError(Exception):
    """An error that a person can mend.

    Args:
        code: stable name of the kind of error, such as `csv-ragged-row`.
        what: English sentence without a final stop, with `{named}` values.
        do: what the reader can do about it, with the same named values.
        where: the file, `file:line` or field that the error is about.
        values: the named values; a `Phrase` is told in the reader's language.
    """

    exit_code = 1

    def __init__(self, code: str, what: str, *, do: str, where: object = None, **values: object) -> None:
        self.code, self.what, self.do, self.values = code, what, do, values
        self.where = None if where is None else str(where)
        self.also: tuple[BertsmithError, ...] = ()
        super().__init__(code)

    def text(self, language: str = "en") -> str:
        """The message for a reader: `en` or `zh`; other faults of the same input follow, a paragraph each."""
        what, do = (self.what, self.do) if language == "en" else chinese(self.code, self.what, self.do)
        head = f"{self.where}{'：' if language == 'zh' else ': '}" if self.where else ""
        lines = [f"{head}{filled(what, self.values, language)} [{self.code}]", f"  → {filled(do, self.values, language)}"]
        return "\n".join(lines + [fault.text(language) for fault in self.also])

    def __str__(self) -> str:
        return self.text()

    @classmethod
    def all_of(cls, faults: "Sequence[Self]") -> Self:
        """One error that tells all faults of an input at once; the first gives code and exit code."""
        first, *rest = faults
        first.also = (*first.also, *rest)
        return first


class UsageError(BertsmithError):
    """A flag or an argument cannot be used as given."""

    exit_code = 2


class ConfigError(UsageError):
    """A field of a configuration or of the settings is wrong."""


class DataError(BertsmithError):
    """A corpus, a table, a vocabulary or a token store cannot be used."""

    exit_code = 3


class CheckpointError(BertsmithError):
    """A model folder or a weight file cannot be read or written."""

    exit_code = 4


class RunFolderError(BertsmithError):
    """A run folder or a training state does not fit what is asked."""

    exit_code = 4


class MachineError(BertsmithError):
    """The machine lacks something: memory, disk space, a package, a device."""

    exit_code = 5


class Interrupted(BertsmithError):
    """A person stopped the work; what was done is saved, and `do` says how to go on."""

    exit_code = 130
