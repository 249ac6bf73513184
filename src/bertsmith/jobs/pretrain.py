"""`pretrain`: a token store in, a measured BERT out."""

from collections.abc import Mapping
from typing import Any

from bertsmith.checkpoints.folder import check_place, write_model_folder
from bertsmith.data.token_store import TokenStore
from bertsmith.jobs.outcome import Outcome, command, told_score
from bertsmith.jobs.pretrain_page import page_of
from bertsmith.messages import Phrase
from bertsmith.progress import Listener, ignore
from bertsmith.records.page import from_json, to_json
from bertsmith.records.run import RunFolder, RunRecord, settings_with_origin
from bertsmith.records.scores import Score
from bertsmith.reports.page import write_report
from bertsmith.training.beginning import begin
from bertsmith.training.pretraining import run as pretraining
from bertsmith.training.pretraining.settings import PretrainSettings
from bertsmith.training.training_state import drop_states


def pretrain(
    settings: PretrainSettings, *, given: Mapping[str, object], listen: Listener = ignore, language: str = "en"
) -> Outcome:
    """Pretrain, measure on held-out text, write the model folder and the report; interrupted, the same call goes on.

    Raises:
        DataError: no token store.
        ConfigError: sizes that do not fit one another.
        RunFolderError: the output holds a different run.
        Interrupted: a stop was asked for; the state is saved.
    """
    store = TokenStore.open(settings.store)
    start = pretraining.start_of(settings, store, listen)
    pairs = pretraining.objective_of(settings, store, listen)
    model_folder = settings.output / "model"
    check_place(model_folder)
    record = RunRecord("pretrain", settings_with_origin(settings, given), {"store": store.manifest["sha256"]})
    folder = RunFolder(settings.output)
    engine = begin(settings, record, folder, listen)
    if (finished := folder.read_result()) is not None:
        return _outcome(settings, finished[0])
    workload = pretraining.workload_of(settings, store, start, pairs)
    pretraining.run(settings, workload, engine, folder, listen)
    scores = pretraining.scores_of(workload, store, engine)
    about = {"origin": {"job": "pretrain", "store": store.manifest["sha256"]}, "objective": "mlm+nsp" if pairs else "mlm"}
    checkpoint = pretraining.checkpoint_of(workload, start, store, about)
    write_model_folder(model_folder, checkpoint, language=language, card={"title": settings.output.name, "scores": scores})
    numbers = {"scores": to_json(scores), "steps": settings.steps, "model": str(model_folder)}
    page = page_of(list(folder.read_log()), scores)
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
