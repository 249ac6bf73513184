"""What a recipe decides where nothing was said, and how it is written down."""

import pytest
from tiny_pretraining import make_config, make_settings, make_store

from bertsmith.data.instance_settings import Objective
from bertsmith.models.bert.pack import Pack
from bertsmith.progress import ignore
from bertsmith.records.run import RunRecord, settings_with_origin
from bertsmith.training.precision import Engine
from bertsmith.training.pretraining.recipe import OF_THE_PAPER, plan_of, settled, write_down
from bertsmith.training.pretraining.run import start_of, workload_of
from bertsmith.training.pretraining.settings import PretrainSettings
from bertsmith.training.rules import Rule
from bertsmith.training.schedule import Decay
from bertsmith.training.shares import Whole

ENGINE = Engine("cpu", "fp32", 1)


def settings_of(tmp_path, **changes):
    return PretrainSettings(store=tmp_path / "store", **changes)


def test_the_paper_has_its_batch_its_rate_and_its_warm_up_where_none_are_given(tmp_path):
    asked = settings_of(tmp_path, recipe="google-2018")
    done = settled(asked, {"recipe": "google-2018"})
    assert (done.batch_size, done.learning_rate, done.warmup) == (256, 1e-4, 0.01)
    record = RunRecord("pretrain", settings_with_origin(done, {"recipe": "google-2018"}))
    write_down(record, asked, done)
    assert {record.settings[name].origin for name in OF_THE_PAPER} == {"inferred"}
    assert record.settings["schedule"].value == "google-2018"


def test_what_is_given_stays_even_where_it_equals_the_usual_default(tmp_path):
    given = {"recipe": "google-2018", "batch_size": 32}
    done = settled(settings_of(tmp_path, **given), given)
    assert (done.batch_size, done.learning_rate) == (32, 1e-4)
    assert settled(settings_of(tmp_path, recipe="google-2018", batch_size=8), {}).batch_size == 8


def test_the_lean_recipe_leaves_the_settings_as_they_are(tmp_path):
    asked = settings_of(tmp_path)
    assert settled(asked, {}) == asked


@pytest.mark.parametrize(
    ("changes", "rule", "decay"),
    [
        ({}, Rule.ADAMW, Decay.LINEAR),
        ({"recipe": "google-2018"}, Rule.ADAMW_GOOGLE_2018, Decay.GOOGLE_2018),
        ({"recipe": "google-2018", "schedule": "cosine"}, Rule.ADAMW_GOOGLE_2018, Decay.COSINE),
        ({"schedule": "constant", "decay_share": 0.1}, Rule.ADAMW, Decay.CONSTANT),
    ],
)
def test_rule_and_schedule_follow_from_the_recipe_unless_they_are_given(tmp_path, changes, rule, decay):
    plan = plan_of(settings_of(tmp_path, **changes), ENGINE)
    assert (plan.rule, plan.schedule.decay) == (rule, decay)
    assert plan.schedule.decay_share == changes.get("decay_share", 0.2)
    assert plan.budget is None


def test_a_budget_becomes_seconds_of_the_plan(tmp_path):
    assert plan_of(settings_of(tmp_path, budget="1h30m"), ENGINE).budget == 5400


def test_the_papers_loss_divides_by_a_little_more_than_the_number_of_masked_tokens(tmp_path):
    make_config(tmp_path, dropout=0.0)
    store = make_store(tmp_path)
    for recipe, added in (("google-2018", 1e-5), ("lean", 0.0)):
        settings = make_settings(tmp_path, tmp_path / "run", recipe=recipe)
        workload = workload_of(settings, store, start_of(settings, store, ignore), Objective.MLM_NSP)
        assert workload.added_to_count == added
    stretches = workload.batches(0)
    pack, whole = Pack.of(stretches[0]), Whole.of(stretches)
    plain = float(workload.loss(pack, whole).measures["mlm_loss"].detach())
    workload.added_to_count = 3.0
    assert float(workload.loss(pack, whole).measures["mlm_loss"].detach()) == pytest.approx(
        plain * whole.masked / (whole.masked + 3)
    )
