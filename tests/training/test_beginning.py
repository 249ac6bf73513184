"""What a run resolves at its start, and when it may go on."""

import dataclasses
import json

import pytest
import torch

from bertsmith.errors import MachineError, RunFolderError, UsageError
from bertsmith.records.run import RunFolder, RunRecord, Setting, settings_with_origin
from bertsmith.training import beginning, precision
from bertsmith.training.beginning import begin
from bertsmith.training.precision import Engine, resolve
from bertsmith.training.settings import EngineSettings

AUTO = EngineSettings()
FIXED = EngineSettings(device="cpu", precision="fp32", threads=1)


def record_of(settings, **data):
    return RunRecord("test", settings_with_origin(settings, {}), data)


def start(folder, settings, **data):
    events = []
    record = record_of(settings, **data)
    return begin(settings, record, RunFolder(folder), events.append), record, events


def test_what_auto_became_is_written_down_with_its_origin_and_used_again(tmp_path, monkeypatch):
    monkeypatch.setattr(precision, "bf16_gain", lambda device: 2.0)
    engine, record, events = start(tmp_path / "run", AUTO)
    assert engine.precision == "bf16"
    assert record.settings["precision"] == Setting("bf16", "measured")
    assert record.settings["device"].origin == "inferred"
    assert [event.code for event in events] == ["precision-measured"]
    monkeypatch.setattr(precision, "bf16_gain", lambda device: 0.1)
    again, record, events = start(tmp_path / "run", AUTO)
    assert again == engine
    assert record.settings["precision"] == Setting("bf16", "measured")
    assert events == []


def test_bf16_is_taken_only_where_it_is_worthwhile(monkeypatch):
    for gain, expected in ((precision.WORTHWHILE, "bf16"), (precision.WORTHWHILE - 0.01, "fp32")):
        monkeypatch.setattr(precision, "bf16_gain", lambda device, gain=gain: gain)
        assert resolve(dataclasses.replace(AUTO, device="cpu"), None, print).precision == expected


def test_given_settings_are_flags_and_nothing_is_measured(tmp_path, monkeypatch):
    monkeypatch.setattr(precision, "bf16_gain", None)
    engine, record, _ = start(tmp_path / "run", FIXED)
    assert engine == Engine("cpu", "fp32", 1)
    assert {record.settings[name].origin for name in beginning.RESOLVED} == {"flag"}


def test_going_on_with_other_values_of_what_was_resolved_is_a_different_run(tmp_path):
    start(tmp_path / "run", FIXED)
    with pytest.raises(RunFolderError) as refused:
        start(tmp_path / "run", dataclasses.replace(FIXED, threads=2))
    assert refused.value.code == "different-run"
    assert "--threads 1 → 2" in refused.value.text("en")


def test_other_data_are_a_different_run(tmp_path):
    start(tmp_path / "run", FIXED, store="a")
    with pytest.raises(RunFolderError) as refused:
        start(tmp_path / "run", dataclasses.replace(FIXED, allow_inexact=True), store="b")
    assert refused.value.code == "different-run"
    assert "other content of --store" in refused.value.text("en")
    assert "--store 的内容不同" in refused.value.text("zh")


@pytest.mark.parametrize(("name", "part_of_the_run"), [("save_every", False), ("evaluate_every", True)])
def test_how_often_states_are_saved_is_no_part_of_a_run_and_what_the_log_holds_is(tmp_path, name, part_of_the_run):
    folder = RunFolder(tmp_path / "run")
    folder.begin(RunRecord("pretrain", {name: Setting(500)}))
    if not part_of_the_run:
        assert folder.begin(RunRecord("pretrain", {name: Setting(100)}))
        return
    with pytest.raises(RunFolderError, match="--evaluate-every 500 → 100"):
        folder.begin(RunRecord("pretrain", {name: Setting(100)}))


@pytest.mark.parametrize("part", ["versions", "machine"])
def test_other_versions_or_another_processor_are_refused_unless_inexactness_is_allowed(tmp_path, monkeypatch, part):
    start(tmp_path / "run", FIXED)
    name = {"versions": "torch", "machine": "processor"}[part]

    class Elsewhere(RunRecord):
        def __init__(self, *args):
            super().__init__(*args)
            setattr(self, part, {**getattr(self, part), name: "another"})

    record = Elsewhere("test", settings_with_origin(FIXED, {}), {})
    with pytest.raises(RunFolderError) as refused:
        begin(FIXED, record, RunFolder(tmp_path / "run"), print)
    assert refused.value.code == "inexact"
    assert f"{name} " in refused.value.text("en")
    assert "→ another" in refused.value.text("zh")
    allowed = dataclasses.replace(FIXED, allow_inexact=True)
    assert begin(allowed, record, RunFolder(tmp_path / "run"), print) == Engine("cpu", "fp32", 1)


def test_a_job_for_one_process_is_refused_in_many(tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(UsageError) as refused:
        start(tmp_path / "run", FIXED)
    assert refused.value.code == "one-process-only"
    assert not (tmp_path / "run").exists()


def test_a_record_without_a_number_of_processes_is_of_one(tmp_path):
    start(tmp_path / "run", FIXED)
    path = tmp_path / "run" / "run.json"
    record = json.loads(path.read_text())
    assert record["machine"].pop("processes") == 1
    path.write_text(json.dumps(record))
    assert start(tmp_path / "run", FIXED)[0] == Engine("cpu", "fp32", 1)


def test_processes_of_a_machine_share_its_cores(monkeypatch):
    monkeypatch.setattr(precision, "cores", lambda: 8)
    found = [resolve(dataclasses.replace(FIXED, threads=0), None, print, processes).threads for processes in (1, 2, 16)]
    assert found == [8, 4, 1]


def test_a_gpu_that_is_not_there_is_one_clear_error(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(MachineError) as refused:
        resolve(dataclasses.replace(FIXED, device="cuda"), None, print)
    assert refused.value.code == "no-gpu"


def test_threads_and_determinism_are_set_for_the_job_and_set_back():
    threads, deterministic = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    with Engine("cpu", "fp32", threads + 1).running():
        assert torch.get_num_threads() == threads + 1
        assert torch.are_deterministic_algorithms_enabled()
    assert torch.get_num_threads() == threads
    assert torch.are_deterministic_algorithms_enabled() is deterministic
