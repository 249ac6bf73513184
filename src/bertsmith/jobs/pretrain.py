"""`pretrain`: a token store in, a measured BERT out."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from bertsmith.checkpoints.folder import check_place, write_model_folder
from bertsmith.data.instance_recipe import objective_of
from bertsmith.data.token_store import TokenStore
from bertsmith.jobs.cluster import train_together
from bertsmith.jobs.outcome import Outcome, command, told_score
from bertsmith.jobs.pretrain_page import page_of
from bertsmith.messages import Phrase
from bertsmith.progress import Listener, ignore
from bertsmith.records.page import from_json, to_json
from bertsmith.records.run import RunFolder, RunRecord, settings_with_origin
from bertsmith.records.scores import Score
from bertsmith.records.tracking import Tracking
from bertsmith.reports.page import write_report
from bertsmith.training.beginning import begin
from bertsmith.training.pretraining import run as pretraining
from bertsmith.training.pretraining.diagnostics.watch import findings_of
from bertsmith.training.pretraining.general import general_store, tell_forgetting
from bertsmith.training.pretraining.recipe import settled, write_down
from bertsmith.training.pretraining.settings import PretrainSettings
from bertsmith.training.processes import Processes, joined
from bertsmith.training.training_state import drop_states


def pretrain(
    settings: PretrainSettings, *, given: Mapping[str, object], listen: Listener = ignore, language: str = "en"
) -> Outcome:
    """Pretrain, measure on held-out text, write the model folder and the report; interrupted, the same call goes on.

    Raises:
        DataError: no token store.
        ConfigError: sizes that do not fit one another.
        RunFolderError: the output holds a different run.
        MachineError: a tracker is not installed, or the cluster does not answer, is too small or loses workers all the time.
        Interrupted: a stop was asked for; the state is saved.
    """
    if settings.cluster:
        return _on_cluster(settings, given, listen, language)
    with Tracking(settings.trackers, listen) as tracking, joined(settings.device) as processes:
        return _pretrain(settings, given, listen if processes.leads else ignore, language, processes, tracking)


def _on_cluster(settings: PretrainSettings, given: Mapping[str, object], listen: Listener, language: str) -> Outcome:
    """The same job in each process of a cluster, which are told nothing of it: the run is the one that torchrun would make."""
    alone = dataclasses.replace(settings, cluster="", processes=0)
    rest = {name: value for name, value in given.items() if name not in ("cluster", "processes")}
    return train_together(
        settings.cluster,
        settings.processes,
        lambda told: pretrain(alone, given=rest, listen=told, language=language),
        output=settings.output,
        device=settings.device,
        listen=listen,
    )


def _pretrain(
    asked: PretrainSettings,
    given: Mapping[str, object],
    listen: Listener,
    language: str,
    processes: Processes,
    tracking: Tracking,
) -> Outcome:
    settings = settled(asked, given)
    store = TokenStore.open(settings.store)
    start = pretraining.start_of(settings, store, listen)
    objective = objective_of(settings, store, listen)
    model_folder = settings.output / "model"
    check_place(model_folder)
    general = general_store(settings, store)
    data = {"store": store.manifest["sha256"]} | ({} if general is None else {"general": general.manifest["sha256"]})
    record = RunRecord("pretrain", settings_with_origin(settings, given), data)
    write_down(record, asked, settings)
    folder = RunFolder(settings.output, tracking)
    engine = begin(settings, record, folder, listen, processes)
    if (finished := processes.agreed(folder.read_result() if processes.leads else None)) is not None:
        return _outcome(settings, finished[0])
    workload = pretraining.workload_of(settings, store, start, objective, general)
    pretraining.run(settings, workload, engine, folder, listen, processes)
    if not processes.leads:
        return Outcome({}, ())
    scores = pretraining.scores_of(workload, store, engine)
    tell_forgetting(scores, listen)
    about = {"origin": {"job": "pretrain", "store": store.manifest["sha256"]}, "objective": objective.value}
    checkpoint = pretraining.checkpoint_of(workload, start, store, about)
    write_model_folder(model_folder, checkpoint, language=language, card={"title": settings.output.name, "scores": scores})
    log = list(folder.read_log())
    steps = sum("gradient_norm" in entry for entry in log)
    found = [finding.logged() for finding in findings_of(log)]
    numbers = {"scores": to_json(scores), "steps": steps, "model": str(model_folder), "findings": found}
    page = page_of(log, scores)
    write_report(settings.output / "report.html", page, record, language="zh" if language == "zh" else "en")
    folder.finish(numbers, page)
    drop_states(folder.states)
    return _outcome(settings, numbers)


def _outcome(settings: PretrainSettings, numbers: Mapping[str, Any]) -> Outcome:
    scores: tuple[Score, ...] = from_json(numbers["scores"])
    report = settings.output / "report.html"
    return Outcome(
        numbers,
        (
            *map(told_score, scores),
            Phrase(f"model: {numbers['model']}", f"模型：{numbers['model']}"),
            Phrase(f"report: {report}", f"报告：{report}"),
        ),
        (command("finetune", "DATA.csv", "--model", numbers["model"]),),
    )
