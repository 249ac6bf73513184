"""`inspect` of a token store: masked instances as text, as training would see them, and their statistics."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from bertsmith.data.batches import PackedBatch
from bertsmith.data.instance_recipe import objective_of, training_instances
from bertsmith.data.instance_settings import InstanceSettings, Objective
from bertsmith.data.instance_statistics import instance_statistics, store_statistics
from bertsmith.data.instances import Instances
from bertsmith.data.token_store import TokenStore
from bertsmith.errors import ConfigError
from bertsmith.jobs.convert_settings import InspectSettings
from bertsmith.jobs.inspect_statistics import lines_of, page_of, rows_of
from bertsmith.jobs.outcome import Outcome, command
from bertsmith.jobs.prepare import store_lines, store_numbers
from bertsmith.messages import Phrase, flag_of
from bertsmith.progress import Listener, ignore
from bertsmith.records.run import RunRecord, settings_with_origin
from bertsmith.reports.page import write_report

_EMPTY = Phrase("", "")
_KINDS = {
    (Objective.MLM_NSP, 1): Phrase("not next", "非下一句"),
    (Objective.MLM_NSP, 0): Phrase("next", "下一句"),
    (Objective.MLM_SOP, 1): Phrase("swapped", "已调换"),
    (Objective.MLM_SOP, 0): Phrase("in order", "未调换"),
}


def inspect_store(
    settings: InspectSettings, given: Mapping[str, object], listen: Listener = ignore, language: str = "en"
) -> Outcome:
    """Read some instances of an epoch in the order of the epoch, and count over the first ones.

    Raises:
        DataError: no token store; whole words of Chinese text whose words are not known.
        ConfigError: the epoch has no instance of that number.
        MachineError: the report cannot be written.
    """
    store = TokenStore.open(settings.path)
    objective = objective_of(settings, store, listen)
    instances = training_instances(settings, store, objective)
    count = instances.count(settings.epoch)
    if settings.first >= count:
        raise ConfigError(
            "no-such-instance", "the epoch has {count} instances", do="give --first below {count}", where="first", count=count
        )
    positions = range(settings.first, min(settings.first + settings.count, count))
    shown = [_shown(store, instances.batch(settings.epoch, range(at, at + 1)), objective) for at in positions]
    told = [*store_lines(store), Phrase(f"{count:,} instances in this epoch", f"本轮共 {count:,} 个样本"), _EMPTY]
    for number, one in zip(positions, shown, strict=True):
        kind = _KINDS.get((objective, one["label"]), _EMPTY)
        told += [
            Phrase(f"#{number}  {kind.en}", f"#{number}  {kind.zh}"),
            Phrase(f"  {one['text']}", f"  {one['text']}"),
            Phrase(f"  hidden: {' '.join(one['hidden'])}", f"  被遮盖：{' '.join(one['hidden'])}"),
        ]
    statistics, lines = _statistics(settings, given, store, instances, shown, language)
    numbers = {
        **store_numbers(store),
        "objective": objective.value,
        "instances": count,
        "shown": shown,
        "statistics": statistics,
    }
    return Outcome(numbers, (*told, *lines), (command("pretrain", settings.path, "--model", "mini", *_flags(settings, given)),))


def _shown(store: TokenStore, batch: PackedBatch, objective: Objective) -> dict[str, Any]:
    """One instance: its pieces with each predicted place in brackets, and the pieces that stood there."""
    pieces = store.vocabulary.pieces
    marked = set(batch.masked_M.tolist())
    words = [f"⟦{pieces[i]}⟧" if row in marked else pieces[i] for row, i in enumerate(batch.ids_T.tolist())]
    label = int(batch.targets_B[0]) if len(batch.targets_B) else None
    return {
        "index": int(batch.order_B[0]),
        "text": " ".join(words),
        "hidden": [pieces[i] for i in batch.labels_M.tolist()],
        "label": label,
        "not_next": bool(label) if objective is Objective.MLM_NSP else None,
    }


def _statistics(
    settings: InspectSettings,
    given: Mapping[str, object],
    store: TokenStore,
    instances: Instances,
    shown: list[dict[str, Any]],
    language: str,
) -> tuple[dict[str, Any], list[Phrase]]:
    """The statistics as numbers, and as lines; the page where one is asked for."""
    objective = instances.pair_rules.objective
    found, text = instance_statistics(instances, settings.epoch, settings.sampled), store_statistics(store)
    rows = rows_of(found, text, settings, objective)
    lines = [_EMPTY, *lines_of(rows)]
    if settings.report is not None:
        examples = [(_KINDS.get((objective, one["label"]), _EMPTY), one["text"], " ".join(one["hidden"])) for one in shown]
        record = RunRecord("inspect", settings_with_origin(settings, given), {"store": store.manifest["sha256"]})
        page = page_of(rows, found, settings, examples)
        write_report(settings.report, page, record, language="zh" if language == "zh" else "en")
        lines += [_EMPTY, Phrase(f"report: {settings.report}", f"报告：{settings.report}")]
    return {**dataclasses.asdict(found), **dataclasses.asdict(text)}, lines


def _flags(settings: InspectSettings, given: Mapping[str, object]) -> list[object]:
    """The given flags that `pretrain` has, too."""
    shared = [field.name for field in dataclasses.fields(InstanceSettings) if field.name in given]
    return [word for name in shared for word in (flag_of(name), getattr(settings, name))]
