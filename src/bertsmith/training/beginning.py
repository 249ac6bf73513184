"""The beginning of a run, or its going on: what was resolved once is written down and used again."""

from bertsmith.errors import RunFolderError, UsageError
from bertsmith.progress import Listener
from bertsmith.records.run import RunFolder, RunRecord
from bertsmith.training.precision import Engine, resolve
from bertsmith.training.processes import ALONE, Processes, processes_here, processes_started
from bertsmith.training.settings import EngineSettings

RESOLVED = ("device", "precision", "threads")
# what decides which kernels run and in which order numbers are added
_MACHINE = {"architecture": None, "processor": None, "instruction_sets": None, "processes": 1}


def begin(
    settings: EngineSettings, record: RunRecord, folder: RunFolder, listen: Listener, processes: Processes = ALONE
) -> Engine:
    """Start the run in its folder, or go on with it on the same engine; the first process decides for all.

    Raises:
        RunFolderError: the folder holds a different run, or versions, machine or number of processes differ from those of its start.
        MachineError: a GPU is asked for and there is none.
        UsageError: several processes were started for a job that runs in one.
    """
    if processes.count != processes_started():
        raise UsageError(
            "one-process-only",
            "{count} processes were started, and this job runs in one",
            do="start it without torchrun",
            count=processes_started(),
        )
    record.machine["processes"] = processes.count
    return processes.agreed(_begun(settings, record, folder, listen) if processes.leads else Engine("", "", 0))


def _begun(settings: EngineSettings, record: RunRecord, folder: RunFolder, listen: Listener) -> Engine:
    folder.check_place()
    existing = folder.read_record()
    if existing is None:
        engine = resolve(settings, record, listen, processes_here())
        folder.begin(record)
        return engine
    for name in RESOLVED:
        if record.settings[name].value in ("auto", 0) and name in existing.settings:
            record.settings[name] = existing.settings[name]
    folder.begin(record)
    differences = _differences(existing, record)
    if differences and not settings.allow_inexact:
        raise RunFolderError(
            "inexact",
            "going on would not give the same bits: {differences}",
            where=folder.path,
            do="go on where the run began, or add --allow-inexact",
            differences="; ".join(differences),
        )
    return Engine(*(record.settings[name].value for name in RESOLVED))


def _differences(old: RunRecord, new: RunRecord) -> list[str]:
    pairs = [
        (name, old.versions.get(name), new.versions.get(name)) for name in sorted(old.versions.keys() | new.versions.keys())
    ]
    pairs += [(name, old.machine.get(name, usual), new.machine.get(name, usual)) for name, usual in _MACHINE.items()]
    return [f"{name} {before} → {after}" for name, before, after in pairs if before != after]
