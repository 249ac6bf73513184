"""Each symptom finds its fault in the numbers, and finds nothing in those of a healthy run."""

import dataclasses

import pytest

from bertsmith.config.presets import preset
from bertsmith.data.audit import Cohesion, InstanceAudit, StoreAudit
from bertsmith.data.instance_settings import Objective
from bertsmith.messages import NOTES
from bertsmith.records.run import RunFolder
from bertsmith.training.pretraining.diagnostics import reference_curves
from bertsmith.training.pretraining.diagnostics.before import BEFORE, Before, expected_pieces
from bertsmith.training.pretraining.diagnostics.during import DURING
from bertsmith.training.pretraining.diagnostics.reference_curves import ReferenceCurve
from bertsmith.training.pretraining.diagnostics.watch import Watch, findings_of, told

RELATED, RANDOM, TURNED = Cohesion(0.15, 0.01, 26.0, 2000), Cohesion(0.01, 0.01, 0.2, 2000), Cohesion(0.01, 0.15, -26.0, 2000)
STORE = StoreAudit(4_000_000, 0.005, 1.24, 0.004, 0.001, 0.0, RELATED, Cohesion(0.15, 0.06, 14.0, 2000), 7.0)
INSTANCES = InstanceAudit(2000, (100,) * 2000, 30_000, 0.15, 0.8, 0.1, 0.55, RELATED)
HEALTHY = Before(
    config=preset("tiny", vocab_size=8192),
    store=STORE,
    instances=INSTANCES,
    pieces=8192,
    hidden_share=0.8,
    objective=Objective.MLM_NSP,
    learning_rate=1e-3,
    warmup_steps=18,
    memory=2**30,
    available=2**33,
)


def with_store(**changes):
    return dataclasses.replace(HEALTHY, store=dataclasses.replace(STORE, **changes))


def with_instances(**changes):
    return dataclasses.replace(HEALTHY, instances=dataclasses.replace(INSTANCES, **changes))


DEEP = dataclasses.replace(HEALTHY.config, num_hidden_layers=24)
FAULTS = {
    "unknown-pieces": with_store(unknown_share=0.58),
    "many-pieces": with_store(pieces_per_word=1.75),
    "repeated-text": with_store(repeated_documents=0.97),
    "sentences-unrelated": with_store(cohesion=RANDOM, order=RANDOM),
    "sentences-out-of-order": with_store(order=RANDOM),
    "lone-sentences": with_store(one_sentence_documents=0.9),
    "masks-lost": with_instances(hidden_share=0.0, shown_share=1.0),
    "pairs-one-label": with_instances(label_share=0.0, cohesion=None),
    "labels-turned": with_instances(cohesion=TURNED),
    "labels-at-random": with_instances(cohesion=RANDOM),
    "rate-high": dataclasses.replace(HEALTHY, learning_rate=3e-2),
    "no-warmup": dataclasses.replace(HEALTHY, config=DEEP, warmup_steps=0),
    "memory-short": dataclasses.replace(HEALTHY, memory=2**34),
}


def found(facts):
    return [symptom.code for symptom in BEFORE if symptom.alarm and symptom.shows(facts) is not None]


def test_nothing_is_found_in_a_healthy_start():
    assert found(HEALTHY) == []
    assert {symptom.code for symptom in BEFORE if not symptom.alarm} == {"expected-cost"}


@pytest.mark.parametrize("code", FAULTS)
def test_a_fault_before_the_start_is_named_and_no_other(code):
    assert found(FAULTS[code]) == [code]
    (symptom,) = (symptom for symptom in BEFORE if symptom.code == code)
    assert "{" not in symptom.english.format(**symptom.shows(FAULTS[code]))


def test_every_rule_before_the_start_has_its_fault_here():
    assert {symptom.code for symptom in BEFORE if symptom.alarm} == FAULTS.keys()


@pytest.mark.parametrize("code", ["sentences-unrelated", "sentences-out-of-order", "lone-sentences"])
def test_without_pairs_the_order_of_sentences_is_nobodys_fault(code):
    assert code not in found(dataclasses.replace(FAULTS[code], objective=Objective.MLM))


def test_small_vocabularies_need_more_pieces_a_word():
    assert expected_pieces(500) == 1.86
    assert expected_pieces(1000) > expected_pieces(3000) > expected_pieces(8192) > expected_pieces(30522) == 1.06


STEP = {"mlm_loss": 7.0, "mlm_accuracy": 0.06, "nsp_loss": 0.68, "nsp_accuracy": 0.56, "gradient_norm": 1.0, "tokens": 2000}


class Run:
    """A watch over a run that is made up, step by step."""

    def __init__(self, place, before=HEALTHY):
        self.now, self.step, self.notes, self.gone = 0.0, 0, [], ()
        place.mkdir(exist_ok=True)
        watch = Watch(
            folder=RunFolder(place),
            listen=self.notes.append,
            before=before,
            majority=0.55,
            pairs=32,
            steps=None,
            still=lambda: self.gone,
            clock=lambda: self.now,
        )
        self.folder = watch.folder = RunFolder(place, watch)
        watch.cut("", ())

    def go(self, steps, *, seconds=0.1, still=(), held_out=None, **changes):
        for number in range(steps):
            self.step, self.now, self.gone = self.step + 1, self.now + seconds, still
            values = {**STEP, **{name: value(number) if callable(value) else value for name, value in changes.items()}}
            self.folder.log({"step": self.step, **values})
        if held_out is not None:
            self.folder.log({"step": self.step, "evaluation": True, "mlm_loss": held_out})
        return self

    @property
    def codes(self):
        return [note.code for note in self.notes if note.code != "expected-cost"]

    @property
    def alarms(self):
        return [note.code for note in self.notes if note.warning]


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path / "run")


def falling(number):
    return 7.4 - 0.005 * number


def test_a_healthy_run_is_told_of_the_shelf_and_of_nothing_else(run):
    run.go(100, mlm_loss=falling).go(400, mlm_loss=lambda n: 6.9 - 0.005 * n, mlm_accuracy=lambda n: 0.06 + n / 2000)
    assert run.codes == ["on-the-shelf"]
    assert run.alarms == []


def test_a_network_that_comes_down_from_log_v_is_healthy(run):
    run.go(300, mlm_loss=lambda n: 7.1 + 2 * 0.98**n)
    assert run.codes == ["on-the-shelf"]


@pytest.mark.parametrize(
    ("code", "disturb"),
    [
        ("worse-than-frequencies", lambda run: run.go(200, mlm_loss=7.6)),
        ("answers-seen", lambda run: run.go(60, mlm_accuracy=0.97)),
        ("standing-still", lambda run: run.go(1, still=("bert.layers.0.query",))),
        ("below-majority", lambda run: run.go(200, nsp_accuracy=0.3)),
        ("loss-spike", lambda run: run.go(100).go(1, mlm_loss=8.5)),
        ("gradient-spike", lambda run: run.go(100).go(1, gradient_norm=30.0)),
        ("slower", lambda run: run.go(120).go(60, seconds=0.3)),
        (
            "by-heart",
            lambda run: (
                [run.go(60, mlm_loss=lambda n: 7.4 - n / 200, held_out=value) for value in (5.5, 5.0, 5.6)] and run.go(1)
            ),
        ),
    ],
)
def test_a_fault_of_a_run_is_named_once(run, code, disturb):
    disturb(run)
    run.go(5)
    assert run.alarms == [code]


MADE_UP = ReferenceCurve(2, 128, ((0.1, 1.0), (1.0, 0.8)))


@pytest.mark.parametrize(("held_out", "code"), [(6.3, "in-the-band"), (6.95, "above-the-band")])
def test_held_out_loss_is_laid_beside_our_own_run_of_this_size(run, held_out, code, monkeypatch):
    monkeypatch.setattr(reference_curves, "CURVES", (MADE_UP,))
    run.go(25, held_out=7.5).go(1)  # 50,000 tokens, before what was measured
    assert run.codes == []
    run.go(132, held_out=held_out).go(60)  # .9 at the middle of the curve, on the scale of logarithms
    (note,) = (note for note in run.notes if note.code.endswith("the-band"))
    assert (note.code, note.warning) == (code, False)
    assert note.values == {"loss": f"{held_out:.2f}", "share": f"{held_out / 7:.0%}", "expected": "90%", "tokens": "0.3"}


def test_tokens_of_before_a_stop_count_and_a_continued_model_is_not_laid_beside_a_new_one(run, monkeypatch):
    monkeypatch.setattr(reference_curves, "CURVES", (MADE_UP,))
    run.go(100)
    again = Run(run.folder.path)
    again.step = 100
    again.go(58, held_out=6.3).go(1)
    assert "in-the-band" in again.codes
    continued = Run(run.folder.path.parent / "continued")
    continued.folder._followers[0].continued = True
    continued.go(158, held_out=6.3).go(1)
    assert not {"in-the-band", "above-the-band"} & set(continued.codes)


def test_a_curve_says_nothing_outside_of_what_was_measured():
    assert MADE_UP.share(99_000) is None and MADE_UP.share(1_010_000) is None
    assert MADE_UP.share(100_000) == 1.0 and MADE_UP.share(1_000_000) == pytest.approx(0.8)


def test_findings_stand_in_the_log_and_come_back_in_both_languages(run):
    run.go(100).go(1, gradient_norm=30.0)
    finding = findings_of(run.folder.read_log())[-1]
    assert (finding.note.code, finding.step, finding.note.warning) == ("gradient-spike", 101, True)
    assert "30.0" in told(finding).en and "30.0" in told(finding).zh


def test_a_run_that_goes_on_tells_nothing_twice_and_remembers_its_steps(run):
    run.go(100).go(1, gradient_norm=30.0)
    again = Run(run.folder.path)
    again.step = 101
    again.go(1, gradient_norm=40.0)
    assert again.notes == []
    again.go(1, mlm_loss=9.0)
    assert again.alarms == ["loss-spike"]


def test_what_is_found_before_the_start_is_told_and_logged_as_step_0(tmp_path):
    run = Run(tmp_path / "run", FAULTS["masks-lost"])
    assert run.alarms == ["masks-lost"]
    found = [(finding.note.code, finding.step) for finding in findings_of(run.folder.read_log()) if finding.note.warning]
    assert found == [("masks-lost", 0)]


def test_the_time_that_is_left_is_told_once_the_speed_is_known(tmp_path):
    run = Run(tmp_path / "run")
    run.folder._followers[0].steps = 1020
    run.go(30, seconds=0.6)
    (forecast,) = (note for note in run.notes if note.code == "forecast")
    assert forecast.values == {"speed": "3,333", "minutes": "10"}


@pytest.mark.parametrize("symptom", [*BEFORE, *DURING], ids=lambda symptom: symptom.code)
def test_every_rule_has_a_source_and_a_chinese_sentence_with_the_same_values(symptom):
    fields = {part.split("}")[0] for part in symptom.english.split("{")[1:]}
    assert fields == {part.split("}")[0] for part in NOTES[symptom.code].split("{")[1:]}
    assert len(symptom.source.en) > 20 and symptom.source.zh
    assert not symptom.alarm or "→" in symptom.english
