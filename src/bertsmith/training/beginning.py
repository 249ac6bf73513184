"""The beginning of a run, or its going on: what was resolved once is written down and used again."""

from bertsmith.errors import RunFolderError
from bertsmith.progress import Listener
from bertsmith.records.run import RunFolder, RunRecord
from bertsmith.training.precision import Engine, resolve
from bertsmith.training.settings import EngineSettings

RESOLVED = ("device", "precision", "threads")
_MACHINE = ("architecture", "processor", "instruction_sets")  # what decides which kernels run


def begin(settings: EngineSettings, record: RunRecord, folder: RunFolder, listen: Listener) -> Engine:
    """Start the run in its folder, or go on with it on the same engine.

    Raises:
        RunFolderError: the folder holds a different run, or versions or machine differ from those of its start.
        MachineError: a GPU is asked for and there is none.
    """
    folder.check_place()
    existing = folder.read_record()
    if existing is None:
        engine = resolve(settings, record, listen)
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
    pairs += [(name, old.machine.get(name), new.machine.get(name)) for name in _MACHINE]
    return [f"{name} {before} → {after}" for name, before, after in pairs if before != after]
