"""Asks the symptoms and tells each finding once: to who listens, and in the run's log, from which the report and programs read it."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bertsmith.messages import Phrase
from bertsmith.progress import Listener, Note
from bertsmith.records.run import RunFolder, RunRecord
from bertsmith.training.pretraining.diagnostics.before import BEFORE, Before
from bertsmith.training.pretraining.diagnostics.during import DURING, During
from bertsmith.training.pretraining.diagnostics.reference_curves import reference_of
from bertsmith.training.pretraining.diagnostics.symptom import Facts, Symptom

SYMPTOMS = (*(symptom.code for symptom in BEFORE if symptom.alarm), *(symptom.code for symptom in DURING if symptom.alarm))
FINDING = "finding"  # the key of a line of the log that holds one


@dataclass(frozen=True)
class Finding:
    """What a symptom found.

    Args:
        note: the sentence, in both languages; `warning` for what is not as it should be.
        step: behind which step, 0 before the first.
    """

    note: Note
    step: int

    def logged(self) -> dict[str, Any]:
        """The line of the log."""
        kept = {"alarm": self.note.warning, "values": dict(self.note.values), "text": self.note.text("en")}
        return {"step": self.step, FINDING: self.note.code, **kept}


LOOKED_AT = (1, 10, 100)  # steps behind which every gradient is looked at, which costs as much as its norm


@dataclass
class Watch:
    """Follows the log of a run and asks the symptoms behind each of its steps.

    Args:
        folder: where findings are logged.
        listen: told each finding.
        before: what is known before the first step.
        majority: accuracy of always giving the more frequent label of a pair, None without next-sentence pairs.
        pairs: sequences of a step.
        steps: of the whole run, None where time decides.
        still: names of the arrays of the encoder whose gradient is zero everywhere, looked up when it is called.
        continued: whether the run started from the weights of a model.
        clock: seconds that pass.
    """

    folder: RunFolder
    listen: Listener
    before: Before
    majority: float | None
    pairs: int
    steps: int | None
    still: Callable[[], Sequence[str]]
    continued: bool = False
    clock: Callable[[], float] = time.perf_counter
    _told: set[str] = field(default_factory=set)
    _measures: dict[str, list[float]] = field(default_factory=dict)
    _evaluations: dict[str, list[float]] = field(default_factory=dict)
    _tokens: list[int] = field(default_factory=list)
    _seconds: list[float] = field(default_factory=list)
    _last: float = 0.0
    _seen: int = 0
    _evaluated: bool = False

    def begun(self, path: Path, record: RunRecord) -> None:
        """Nothing to look at yet."""

    def cut(self, part: str, lost: Sequence[Mapping[str, Any]]) -> None:
        """The run starts its steps: take in what it has logged before, so that going on tells nothing twice, and ask what is asked before them."""
        for line in self.folder.read_log():
            if FINDING in line:
                self._told.add(line[FINDING])
            elif line.get("evaluation"):
                _keep(self._evaluations, line)
            elif "gradient_norm" in line:
                _keep(self._measures, line)
                self._seen += line["tokens"]
        self._tell(BEFORE, self.before, 0)
        self._last = self.clock()

    def logged(self, part: str, values: Mapping[str, Any]) -> None:
        """Look at a step, or take in what was measured on held-out text, at which the next step looks."""
        if values.get("evaluation"):
            _keep(self._evaluations, values)
            self._evaluated = True
            self._last = self.clock()  # the time of an evaluation is no step's
        elif "gradient_norm" in values:
            now = self.clock()
            _keep(self._measures, values)
            self._tokens.append(values["tokens"])
            self._seen += values["tokens"]
            self._seconds.append(now - self._last)
            self._last = now
            self._tell(DURING, self._during(values["step"]), values["step"])
            self._evaluated = False

    def saved(self) -> None:
        """Saving takes time that is no step's."""
        self._last = self.clock()

    def finished(self, numbers: Mapping[str, Any]) -> None:
        """Nothing more to look at."""

    def _during(self, step: int) -> During:
        reference = reference_of(self.before.config)
        return During(
            step=step,
            warmup_steps=self.before.warmup_steps,
            entropy=self.before.store.entropy,
            measures=self._measures,
            evaluations=self._evaluations,
            majority=self.majority,
            pairs=self.pairs,
            steps=self.steps,
            tokens=self._tokens,
            seconds=self._seconds,
            still=self.still() if step in LOOKED_AT else (),
            seen=self._seen,
            expected=reference.share(self._seen) if reference and self._evaluated and not self.continued else None,
        )

    def _tell(self, symptoms: Sequence[Symptom[Facts]], facts: Facts, step: int) -> None:
        for symptom in symptoms:
            values = None if symptom.code in self._told else symptom.shows(facts)
            if values is None:
                continue
            self._told.add(symptom.code)
            finding = Finding(Note(symptom.code, symptom.english, values, warning=symptom.alarm), step)
            self.listen(finding.note)
            self.folder.log(finding.logged())


def _keep(where: dict[str, list[float]], values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if name not in ("step", "evaluation", "tokens"):
            where.setdefault(name, []).append(float(value))


def findings_of(log: Iterable[Mapping[str, Any]]) -> list[Finding]:
    """The findings of a run, from its log."""
    english = {symptom.code: symptom.english for symptom in BEFORE} | {symptom.code: symptom.english for symptom in DURING}
    return [
        Finding(Note(line[FINDING], english[line[FINDING]], line["values"], warning=line["alarm"]), line["step"])
        for line in log
        if line.get(FINDING) in english
    ]


def told(finding: Finding) -> Phrase:
    """The sentence of a finding in both languages."""
    return Phrase(finding.note.text("en"), finding.note.text("zh"))
