"""`config check`: every fault of a config at once, and what works in it and is slow or odd."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertsmith.checkpoints.hub import hub_name
from bertsmith.config.advice import ARROW, advice
from bertsmith.config.formats import UNREADABLE, ConfigFile, read_config_file
from bertsmith.config.presets import PRESETS
from bertsmith.errors import BertsmithError, ConfigError
from bertsmith.jobs.config_settings import ConfigCheckSettings
from bertsmith.jobs.config_vocabulary import against_vocabulary
from bertsmith.jobs.outcome import Outcome, command
from bertsmith.messages import Phrase
from bertsmith.progress import Event, Listener, Note, ignore

_LEVELS = {"fault": Phrase("fault", "错误"), "warning": Phrase("warning", "警告")}
_SUM = Phrase("{path}: faults {faults}, warnings {warnings}", "{path}：错误 {faults} 处，警告 {warnings} 处")
_FINE = Phrase("{path}: nothing to remark", "{path}：没有发现问题")


@dataclass(frozen=True)
class Finding:
    """One thing that was found: a fault, or something that works and is slow or odd.

    Args:
        code: stable name of the kind.
        level: fault or warning.
        what: what it is, in both languages.
        do: what to do about it.
    """

    code: str
    level: str
    what: Phrase
    do: Phrase


@dataclass(frozen=True)
class Checked:
    """Everything that was found; faults first."""

    path: Path
    findings: tuple[Finding, ...]
    language: str

    @property
    def exit_code(self) -> int:
        """2 where there are faults, as for every wrong config."""
        return ConfigError.exit_code if self._count("fault") else 0

    def _count(self, level: str) -> int:
        return sum(finding.level == level for finding in self.findings)

    @property
    def numbers(self) -> dict[str, Any]:
        """How many of each level, and each finding with code, level, what it is and what to do."""
        told = [
            {
                "code": finding.code,
                "level": finding.level,
                "what": finding.what.text(self.language),
                "do": finding.do.text(self.language),
            }
            for finding in self.findings
        ]
        return {"path": str(self.path), "faults": self._count("fault"), "warnings": self._count("warning"), "findings": told}

    def lines(self, language: str) -> list[str]:
        """Two lines a finding, then the sum."""
        mark = "：" if language == "zh" else ": "
        told = []
        for finding in self.findings:
            told.append(f"{_LEVELS[finding.level].text(language)}{mark}{finding.what.text(language)} [{finding.code}]")
            told.append(f"  → {finding.do.text(language)}")
        template = _SUM if self.findings else _FINE
        told.append(
            template.text(language).format(path=self.path, faults=self._count("fault"), warnings=self._count("warning"))
        )
        if self.exit_code == 0:
            told += Outcome({}, (), (command("config", "show", self.path),)).lines(language)
        return told


def config_check(
    settings: ConfigCheckSettings, *, given: Mapping[str, object], listen: Listener = ignore, language: str = "en"
) -> Checked:
    """Check a config as a whole.

    Args:
        settings: the file, and a vocabulary that it shall fit.
        given: the fields that the caller gave; checking needs no record of them.
        listen: not called; everything is a finding.
        language: of the findings, `en` or `zh`.

    Raises:
        ConfigError: there is no such file, or it is not a JSON object; every other fault is a finding.
    """
    name = settings.config.as_posix()
    if not settings.config.exists() and (name in PRESETS or hub_name(name)):
        raise ConfigError(
            "check-needs-a-file",
            "{name} is the name of a model, and only files are checked",
            do="write it to a file and check that: {command}",
            name=name,
            command=command("config", "convert", name, "--to", "huggingface", "--output", "config.json"),
        )
    notes: list[Event] = []
    faults: list[BertsmithError] = []
    file: ConfigFile | None = None
    try:
        file = read_config_file(settings.config, gelu=settings.gelu, vocab_size=settings.vocab_size, listen=notes.append)
    except ConfigError as error:
        if error.code in UNREADABLE:
            raise
        faults += _apart(error)
    if file is not None:
        notes += advice(file.config)
    if settings.vocabulary is not None:
        more, remarks = against_vocabulary(settings.vocabulary, settings.config, file)
        faults += more
        notes += remarks
    warnings = [_of_note(note) for note in notes if isinstance(note, Note)]
    return Checked(settings.config, (*map(_of_fault, faults), *warnings), language)


def _apart(error: BertsmithError) -> Sequence[BertsmithError]:
    faults = (error, *error.also)
    for fault in faults:
        fault.also = ()
    return faults


def _of_fault(fault: BertsmithError) -> Finding:
    fault.where = None if isinstance(fault, ConfigError) else fault.where  # the file is that of the whole report
    texts = {}
    for language in ("en", "zh"):
        what, _, do = fault.text(language).partition("\n  → ")
        texts[language] = (what.removesuffix(f" [{fault.code}]"), do)
    return Finding(fault.code, "fault", Phrase(texts["en"][0], texts["zh"][0]), Phrase(texts["en"][1], texts["zh"][1]))


def _of_note(note: Note) -> Finding:
    en, zh = (note.text(language).partition(ARROW) for language in ("en", "zh"))
    return Finding(note.code, "warning", Phrase(en[0], zh[0]), Phrase(en[2] or en[0], zh[2] or zh[0]))
