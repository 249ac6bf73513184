"""What a run logs also goes to the trackers that were asked for, and none of them can end a run."""

import json
import sys
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType, SimpleNamespace

import pytest

from bertsmith.errors import ConfigError, Interrupted, MachineError
from bertsmith.messages import Phrase
from bertsmith.records import trackers
from bertsmith.records.page import Page, to_json
from bertsmith.records.run import RunFolder, RunRecord, Setting
from bertsmith.records.scores import Score
from bertsmith.records.trackers import Begun, End
from bertsmith.records.tracking import Tracking
from bertsmith.training.finetuning.settings import FinetuneSettings
from bertsmith.training.pretraining.settings import PretrainSettings
from bertsmith.training.settings import TRACKERS, EngineSettings

PAGE = Page(Phrase("a", "甲"), Phrase("b", "乙"), ())


class Remembering:
    """A tracker that keeps what it is told, and fails where it is told to."""

    def __init__(self, fails_at=None, empty=None):
        self.entries, self.flushes, self.end, self.openings = [], 0, None, []
        self.fails_at, self.empty = fails_at, empty

    def begin(self, opening):
        self.openings.append(opening)
        return Begun("one", not opening.identity if self.empty is None else self.empty)

    def log(self, entry):
        if entry.step == self.fails_at:
            raise OSError("the server is gone\nfor good")
        self.entries.append(entry)

    def flush(self):
        self.flushes += 1

    def finish(self, end):
        self.end = end


@pytest.fixture
def installed(monkeypatch):
    """Put a tracker in the place of wandb's, whose package seems to be there."""

    def put(tracker, name="wandb"):
        module = ModuleType(name)
        module.__spec__ = ModuleSpec(name, None, origin="made up")
        monkeypatch.setitem(sys.modules, name, module)
        monkeypatch.setitem(trackers.TRACKERS, name, lambda: tracker)
        return tracker

    return put


def record():
    return RunRecord("pretrain", {"learning_rate": Setting(1e-3), "tracker": Setting("wandb")}, {"store": "ab12"})


def step(number):
    return {"step": number, "loss": 1 / number, "gradient_norm": 1.0}


def opened(path, tracking):
    """The run in its folder, as a job opens it."""
    folder = RunFolder(path / "run", tracking)
    folder.begin(record())
    return folder


def killed_behind(path, tracker_tracking, last, saved):
    """A run that logged `last` steps and wrote a state behind `saved` of them; the size of the log there."""
    folder = opened(path, tracker_tracking)
    folder.cut_log(0)
    size = 0
    for number in range(1, last + 1):
        folder.log(step(number))
        size = folder.log_size() if number == saved else size
    return size


def told(tracker):
    return [entry.step for entry in tracker.entries if not entry.again]


def test_settings_data_steps_evaluations_findings_and_scores_reach_the_tracker(tmp_path, installed):
    tracker = installed(Remembering())
    with Tracking(["wandb"], print) as tracking:
        folder = opened(tmp_path, tracking)
        folder.cut_log(0)
        folder.log({"step": 0, "finding": "one-sentence", "alarm": True, "values": {"share": "3 %"}})
        folder.log(step(1))
        folder.log({"step": 1, "evaluation": True, "loss": 2.0})
        folder.finish({"scores": to_json([Score("accuracy", 0.5, "test", 10, 2, 0.1, ("majority", 0.4))])}, PAGE)
    (opening,) = tracker.openings
    assert (opening.settings["learning_rate"], opening.origin["data.store"]) == (1e-3, "ab12")
    finding, first, evaluation, final = tracker.entries
    assert finding.texts == {"finding/one-sentence": "warning one-sentence: share 3 %"}
    assert (first.step, first.numbers) == (1, {"train/loss": 1.0, "train/gradient_norm": 1.0})
    assert evaluation.numbers == {"evaluation/loss": 2.0}
    assert final.numbers == {
        "final/test/accuracy": 0.5,
        "final/test/accuracy_spread": 0.1,
        "final/test/accuracy_majority": 0.4,
    }
    assert final.texts["final/test/accuracy/facts"] == "0.500 ± 0.100, test, n = 10, seeds = 2, majority 0.400"
    assert tracker.end is End.FINISHED


def test_a_part_of_the_run_is_told_under_its_name(tmp_path, installed):
    tracker = installed(Remembering())
    with Tracking(["wandb"], print) as tracking:
        part = opened(tmp_path, tracking).part("seeds/1")
        part.path.mkdir(parents=True)
        part.cut_log(0)
        part.log(step(1))
    assert tracker.entries[0].name("train/loss") == "seeds/1/train/loss"


def test_everything_is_handed_on_before_a_training_state_is_written(tmp_path, installed):
    tracker = installed(Remembering())
    with Tracking(["wandb"], print) as tracking:
        killed_behind(tmp_path, tracking, last=4, saved=3)
    assert tracker.flushes == 1


def test_steps_that_were_cut_off_the_log_are_marked_as_told_also_after_a_second_kill(tmp_path, installed):
    installed(Remembering())
    with Tracking(["wandb"], print) as tracking:
        size = killed_behind(tmp_path, tracking, last=9, saved=4)
    for last in (6, 12):
        tracker = installed(Remembering())
        with Tracking(["wandb"], print) as tracking:
            folder = opened(tmp_path, tracking)
            folder.cut_log(size)
            for number in range(5, last + 1):
                folder.log(step(number))
    assert tracker.openings[0].identity == "one"
    assert [(entry.step, entry.again) for entry in tracker.entries] == [(n, n <= 9) for n in range(5, 13)]


def test_a_tracker_that_holds_nothing_of_a_run_that_goes_on_is_told_the_whole_log(tmp_path, installed):
    with Tracking([], print) as tracking:
        size = killed_behind(tmp_path, tracking, last=9, saved=4)
    tracker = installed(Remembering())
    with Tracking(["wandb"], print) as tracking:
        folder = opened(tmp_path, tracking)
        folder.cut_log(size)
        folder.log(step(5))
    assert told(tracker) == [1, 2, 3, 4, 5]


def test_a_tracker_that_fails_costs_one_warning_and_not_the_run(tmp_path, installed):
    tracker, events = installed(Remembering(fails_at=2)), []
    with Tracking(["wandb"], events.append) as tracking:
        folder = opened(tmp_path, tracking)
        folder.cut_log(0)
        for number in range(1, 6):
            folder.log(step(number))
    assert [(event.code, event.warning) for event in events] == [("tracker-failed", True)]
    assert "wandb failed" in events[0].text("en") and "the server is gone" in events[0].text("en")
    assert "wandb 出错" in events[0].text("zh") and "for good" not in events[0].text("zh")
    assert len(list(folder.read_log())) == 5 and told(tracker) == [1]


def test_a_tracker_that_cannot_begin_costs_one_warning_and_not_the_run(tmp_path, installed):
    events = []
    tracker = installed(Remembering())
    tracker.begin = lambda opening: 1 / 0
    with Tracking(["wandb"], events.append) as tracking:
        folder = opened(tmp_path, tracking)
        folder.cut_log(0)
        folder.log(step(1))
    assert [event.code for event in events] == ["tracker-failed"]


@pytest.mark.parametrize(
    ("error", "end"),
    [(Interrupted("interrupted", "x", do="y"), End.KILLED), (KeyboardInterrupt(), End.KILLED), (ValueError(), End.FAILED)],
)
def test_a_tracker_hears_how_a_run_ended(tmp_path, installed, error, end):
    tracker = installed(Remembering())
    with pytest.raises(type(error)), Tracking(["wandb"], print) as tracking:
        opened(tmp_path, tracking).cut_log(0)
        raise error
    assert tracker.end is end


def test_a_finished_run_that_is_asked_for_again_opens_no_tracker(tmp_path, installed):
    tracker = installed(Remembering())
    with Tracking(["wandb"], print) as tracking:
        opened(tmp_path, tracking).read_result()
    assert tracker.openings == []


def test_trackers_that_are_not_installed_are_told_at_once_with_the_command(monkeypatch):
    monkeypatch.setattr("bertsmith.records.tracking.find_spec", lambda name: None)
    with pytest.raises(MachineError, match="wandb, mlflow") as caught:
        Tracking(["wandb", "mlflow"], print)
    assert caught.value.code == "no-tracker"
    assert "pip install 'bertsmith[wandb,mlflow]'" in caught.value.text("en")
    assert "pip install 'bertsmith[wandb,mlflow]'" in caught.value.text("zh")


def test_a_folder_with_the_name_of_a_tracker_is_no_package(tmp_path, monkeypatch):
    (tmp_path / "wandb").mkdir()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(MachineError):
        Tracking(["wandb"], print)


def test_several_trackers_stand_in_one_flag():
    assert EngineSettings(tracker="wandb, mlflow,wandb").trackers == ("wandb", "mlflow")
    assert EngineSettings().trackers == ()


@pytest.mark.parametrize(
    "made",
    [
        lambda name: EngineSettings(tracker=name),
        lambda name: PretrainSettings(store="s", tracker=name),
        lambda name: FinetuneSettings(data="d", model="m", tracker=name),
    ],
)
def test_an_unknown_tracker_is_refused_with_the_nearest(made):
    with pytest.raises(ConfigError, match="did you mean 'tensorboard'"):
        made("mlflow,tensorbord")


def test_every_tracker_of_the_settings_has_its_class():
    assert tuple(trackers.TRACKERS) == TRACKERS


def test_who_looks_at_a_run_is_no_part_of_its_identity():
    assert "tracker" not in record().identity()["settings"]


def test_a_damaged_end_of_the_log_does_not_keep_a_run_from_going_on(tmp_path, installed):
    tracker = installed(Remembering())
    with Tracking(["wandb"], print) as tracking:
        size = killed_behind(tmp_path, tracking, last=3, saved=2)
        with open(tmp_path / "run" / "log.jsonl", "ab") as file:
            file.write(b"\0\0\0\n{")
    with Tracking(["wandb"], print) as tracking:
        folder = opened(tmp_path, tracking)
        folder.cut_log(size)
        folder.log(step(3))
    assert [line["step"] for line in folder.read_log()] == [1, 2, 3]
    assert tracker.entries[-1].again


class FakeWandb:
    """wandb as far as it is used."""

    def __init__(self):
        self.inits, self.logged, self.defined, self.summary, self.exit = [], [], {}, {}, None

    def Settings(self, **values):
        return values

    def init(self, **values):
        self.inits.append(values)
        run = SimpleNamespace(summary=self.summary, log=self.logged.append, finish=lambda exit_code: None)
        run.define_metric = lambda name, step_metric=None, hidden=None: self.defined.update({name: step_metric})
        return run


@pytest.fixture
def wandb(monkeypatch, tmp_path):
    fake = FakeWandb()
    fake.__spec__ = ModuleSpec("wandb", None, origin="made up")
    monkeypatch.setitem(sys.modules, "wandb", fake)
    for name in ("WANDB_MODE", "WANDB_API_KEY", "WANDB_IDENTITY_TOKEN_FILE", "WANDB_PROJECT", "WANDB_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("HOME", str(tmp_path))
    return fake


def run_with_wandb(path):
    with Tracking(["wandb"], print) as tracking:
        killed_behind(path, tracking, last=2, saved=1)


def test_wandb_is_offline_and_silent_where_no_key_is_there(tmp_path, wandb):
    run_with_wandb(tmp_path)
    (init,) = wandb.inits
    assert init["mode"] == "offline" and init["dir"] == str(tmp_path / "run")
    assert init["settings"] == {"console": "off", "silent": True}


@pytest.mark.parametrize("login", ["key", "netrc"])
def test_wandb_follows_its_own_rules_where_someone_is_logged_in(tmp_path, wandb, monkeypatch, login):
    if login == "key":
        monkeypatch.setenv("WANDB_API_KEY", "x")
    else:
        (tmp_path / "netrc").write_text("machine api.wandb.ai login user password x\n")
    run_with_wandb(tmp_path)
    assert wandb.inits[0]["mode"] is None


def test_each_part_has_steps_of_its_own_in_wandb(tmp_path, wandb):
    with Tracking(["wandb"], print) as tracking:
        part = opened(tmp_path, tracking).part("seeds/0")
        part.path.mkdir(parents=True)
        part.cut_log(0)
        part.log(step(1))
    assert wandb.defined["seeds/0/train/*"] == "seeds/0/step"
    assert wandb.logged == [{"seeds/0/step": 1, "seeds/0/train/loss": 1.0, "seeds/0/train/gradient_norm": 1.0}]


def test_an_offline_run_of_wandb_that_goes_on_is_written_anew_under_the_same_identity(tmp_path, wandb):
    run_with_wandb(tmp_path)
    identity = wandb.inits[0]["id"]
    unsent = tmp_path / "run" / "wandb" / f"offline-run-1-{identity}"
    sent = tmp_path / "run" / "wandb" / f"offline-run-0-{identity}"
    for folder in (unsent, sent):
        folder.mkdir(parents=True)
    (sent / f"run-{identity}.wandb.synced").touch()
    wandb.logged.clear()
    with Tracking(["wandb"], print) as tracking:
        folder = opened(tmp_path, tracking)
        folder.cut_log((tmp_path / "run" / "log.jsonl").read_bytes().index(b"\n") + 1)
        folder.log(step(2))
    assert wandb.inits[1]["id"] == identity
    assert [line["step"] for line in wandb.logged] == [1, 2]
    assert sent.exists() and not unsent.exists()


class FakeMlflow:
    """mlflow's client as far as it is used: one run, whose metrics only grow."""

    def __init__(self):
        self.places, self.metrics, self.params, self.tags, self.status = [], [], [], {}, None

    def __call__(self, place):
        self.places.append(place)
        return self

    def get_experiment_by_name(self, name):
        return None

    def create_experiment(self, name, files):
        return "1"

    def create_run(self, experiment, run_name, tags):
        self.tags |= tags
        return SimpleNamespace(info=SimpleNamespace(run_id="r1"))

    def update_run(self, run, status):
        self.status = status

    def log_batch(self, run, metrics=(), params=()):
        assert len(params) <= 100 and len(metrics) <= 1000
        self.metrics += metrics
        self.params += params

    def set_tag(self, run, key, value):
        self.tags[key] = value

    def get_metric_history(self, run, key):
        return [metric for metric in self.metrics if metric.key == key]

    def set_terminated(self, run, status):
        self.status = status


@pytest.fixture
def mlflow(monkeypatch):
    client = FakeMlflow()
    top, entities, tracking = ModuleType("mlflow"), ModuleType("mlflow.entities"), ModuleType("mlflow.tracking")
    top.__spec__ = ModuleSpec("mlflow", None, origin="made up")
    entities.Metric = lambda key, value, timestamp, step: SimpleNamespace(key=key, value=value, step=step)
    entities.Param = lambda key, value: (key, value)
    tracking.MlflowClient = client
    for module in (top, entities, tracking):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return client


def test_mlflow_writes_into_the_run_folder_unless_a_server_is_named(tmp_path, mlflow, monkeypatch):
    for number in range(2):
        with Tracking(["mlflow"], print) as tracking:
            killed_behind(tmp_path / str(number), tracking, last=1, saved=1)
        monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://server")
    assert mlflow.places == [f"sqlite:///{tmp_path / '0' / 'run' / 'mlflow.db'}", "http://server"]
    assert ("learning_rate", "0.001") in mlflow.params and mlflow.tags["data.store"] == "ab12"


def test_no_step_is_doubled_or_lost_in_mlflow_when_a_run_goes_on(tmp_path, mlflow):
    with Tracking(["mlflow"], print) as tracking:
        size = killed_behind(tmp_path, tracking, last=9, saved=4)
        del mlflow.metrics[2 * 7 :]  # what was not handed on when the kill came
    with Tracking(["mlflow"], print) as tracking:
        folder = opened(tmp_path, tracking)
        folder.cut_log(size)
        for number in range(5, 11):
            folder.log(step(number))
        folder.finish({"scores": ()}, PAGE)
    losses = [metric.step for metric in mlflow.metrics if metric.key == "train/loss"]
    assert losses == list(range(1, 11)) and mlflow.status == "FINISHED"
    assert len(mlflow.params) == 2


@pytest.mark.skipif(
    find_spec("tensorboard") is None, reason="tensorboard is not installed (pip install 'bertsmith[tensorboard]')"
)
def test_tensorboard_shows_each_step_once_when_a_run_goes_on(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with Tracking(["tensorboard"], print) as tracking:
        size = killed_behind(tmp_path, tracking, last=9, saved=4)
    with Tracking(["tensorboard"], print) as tracking:
        folder = opened(tmp_path, tracking)
        folder.cut_log(size)
        for number in range(5, 11):
            folder.log(step(number))
        folder.log({"step": 10, "finding": "odd", "alarm": False, "values": {}})
    shown = EventAccumulator(str(tmp_path / "run" / "tensorboard")).Reload()
    assert [event.step for event in shown.Scalars("train/loss")] == list(range(1, 11))
    assert "finding/odd" in shown.Tags()["tensors"]


def test_the_identities_stand_in_the_run_folder(tmp_path, installed):
    installed(Remembering())
    with Tracking(["wandb"], print) as tracking:
        opened(tmp_path, tracking).cut_log(0)
    assert json.loads((tmp_path / "run" / "trackers.json").read_text()) == {"wandb": {"identity": "one", "told": {}}}
