"""Rates that fall in other ways, and the plan of a run that has a time in place of a number of steps."""

import json
import signal
from itertools import count, pairwise
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_pretraining import ENGINE, make_config, make_settings, make_store

from bertsmith.data.instance_settings import Objective
from bertsmith.errors import ConfigError, Interrupted, UsageError
from bertsmith.jobs.pretrain import pretrain
from bertsmith.progress import ignore
from bertsmith.records.run import RunFolder
from bertsmith.training import loop
from bertsmith.training.course import Course
from bertsmith.training.durations import seconds_of
from bertsmith.training.pretraining.objective import Pretraining
from bertsmith.training.pretraining.run import run, start_of, workload_of
from bertsmith.training.schedule import Decay, Schedule

LINEAR = Schedule(1.0, 10_000, 0.1, Decay.LINEAR)


def test_the_cosine_schedule_falls_along_half_a_wave_from_the_peak_to_0():
    schedule = Schedule(2.0, 100, 0.2, Decay.COSINE)
    rates = [schedule.rate(step) for step in range(101)]
    assert rates[19] == rates[20] == pytest.approx(2.0)
    assert [rates[40], rates[60], rates[80]] == pytest.approx([1 + 0.5**0.5, 1.0, 1 - 0.5**0.5])
    assert rates[100] == pytest.approx(0.0)
    assert rates[20:] == sorted(rates[20:], reverse=True)


def test_the_constant_schedule_stays_at_the_peak_and_falls_over_the_last_share():
    schedule = Schedule(2.0, 10, 0.2, Decay.CONSTANT, decay_share=0.4)
    rates = [schedule.rate(step) for step in range(10)]
    assert rates == pytest.approx([1.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 1.5, 1.0, 0.5])


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_the_constant_schedule_without_a_fall_or_without_a_stay_has_a_rate_everywhere(share):
    rates = [Schedule(1.0, 8, 0.25, Decay.CONSTANT, share).rate(step) for step in range(8)]
    assert all(0 < rate <= 1 for rate in rates)
    assert (rates[-1] == 1.0) is (share == 0.0)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1800), ("2h", 7200), ("1.5h", 5400), ("1h30m", 5400), ("1d", 86400)]
)
def test_times_are_written_with_their_units(text, seconds):
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "90", "h", "2 h", "-1h", "0s", "2h!", "1h30"])
def test_what_is_no_time_has_no_seconds(text):
    assert seconds_of(text) is None


def walked(course, seconds_a_step, first=0, spent=0.0):
    """Go through the steps of a course with a clock of our own; the legs that were planned, and the seconds that were spent."""
    legs, done = [], first
    while done < course.steps:
        done += 1
        spent += seconds_a_step(done)
        leg = course.behind(done, spent)
        if leg is not None:
            legs.append(leg)
    return legs, done, spent


@settings(deadline=None, max_examples=40)
@given(st.floats(0.001, 20.0), st.floats(1.0, 3000.0))
def test_a_steady_machine_ends_within_a_step_of_its_budget(pace, steps_that_fit):
    budget = pace * steps_that_fit
    _, _, spent = walked(Course(LINEAR, budget, {}), lambda step: pace)
    assert budget - 2 * pace < spent <= max(budget + pace, 2 * pace)  # no plan is made before two steps are done


def test_a_machine_that_becomes_slower_ends_within_two_hundredths_of_its_budget():
    _, _, spent = walked(Course(LINEAR, 1000.0, {}), lambda step: 0.5 if step < 1000 else 0.8)
    assert spent == pytest.approx(1000.0, rel=0.02)


def test_plans_are_made_at_doubling_steps_and_at_each_twentieth_of_the_time():
    legs, done, _ = walked(Course(LINEAR, 1000.0, {}), lambda step: 1.0)
    firsts = [leg.first for leg in legs]
    assert firsts[:4] == [16, 32, 50, 64]
    assert {50, 100, 150, 500, 950} <= set(firsts)
    assert len(firsts) <= 30
    assert done == 1000


def test_the_rate_has_no_jump_where_the_run_is_planned_anew_and_comes_down_to_0():
    course, rates = Course(LINEAR, 600.0, {}), []
    done, spent = 0, 0.0
    while done < course.steps:
        rates.append(course.rate(done))
        done, spent = done + 1, spent + (0.2 if done < 700 else 0.6)
        course.behind(done, spent)
    steepest = max(1 / (course.steps * 0.1), 1 / (course.steps * 0.5))
    assert max(abs(a - b) for a, b in pairwise(rates)) < 2 * steepest
    assert max(rates) > 0.99
    assert rates[-1] < 0.01


def test_a_run_that_goes_on_uses_the_plans_and_the_time_of_its_state():
    course = Course(LINEAR, 100.0, {})
    for done in range(1, 41):
        course.behind(done, float(done))
    facts = json.loads(json.dumps(course.facts(40.0)))
    again = Course(LINEAR, 100.0, facts)
    assert again.spent_before == 40.0
    assert again.steps == course.steps
    assert [again.rate(step) for step in range(40, 100)] == [course.rate(step) for step in range(40, 100)]
    _, _, spent = walked(again, lambda step: 2.0, 40, 40.0)
    assert spent == pytest.approx(100.0, abs=2.0)


def test_a_fixed_number_of_steps_has_no_facts_and_is_never_planned_anew():
    course = Course(Schedule(1.0, 20, 0.1, Decay.LINEAR), None, {})
    assert [course.rate(step) for step in range(20)] == [Schedule(1.0, 20, 0.1, Decay.LINEAR).rate(step) for step in range(20)]
    assert walked(course, lambda step: 1.0)[:2] == ([], 20)
    assert course.facts(3.0) == {}


@pytest.fixture
def ticking(monkeypatch):
    """A clock of the loop by which every step takes a second."""
    ticks = count()
    monkeypatch.setattr(loop, "time", SimpleNamespace(perf_counter=lambda: float(next(ticks))))


def budget_run(folder, name, **changes):
    settings = make_settings(folder, folder / name, budget="40s", steps=10_000, **changes)
    pretrain(settings, given={})
    return list(RunFolder(folder / name).read_log())


def test_a_budget_run_logs_its_plans_saves_with_each_twentieth_and_ends_with_its_time(tmp_path, ticking, monkeypatch):
    make_store(tmp_path)
    make_config(tmp_path)
    saved, original = [], loop.save_state
    monkeypatch.setattr(loop, "save_state", lambda folder, state: saved.append(state.step) or original(folder, state))
    log = budget_run(tmp_path, "run", save_every=1000)
    plans = [line for line in log if "planned_steps" in line]
    assert [plan["step"] for plan in plans][:4] == [2, 4, 6, 8]
    assert {plan["planned_steps"] for plan in plans} == {40}
    assert len(saved) == 20
    assert [line["step"] for line in log if "gradient_norm" in line] == list(range(1, 41))
    assert json.loads((tmp_path / "run" / "result.json").read_text())["numbers"]["steps"] == 40


def test_a_budget_run_that_was_stopped_goes_on_with_what_is_left_of_its_time(tmp_path, ticking, monkeypatch):
    make_store(tmp_path)
    make_config(tmp_path)
    whole = budget_run(tmp_path, "whole")
    calls, original = [], loop._update

    def stopping(*arguments):
        calls.append(1)
        if len(calls) == 15:
            signal.raise_signal(signal.SIGINT)
        return original(*arguments)

    monkeypatch.setattr(loop, "_update", stopping)
    with pytest.raises(Interrupted, match="behind step 15 of 40"):
        budget_run(tmp_path, "stopped")
    log = budget_run(tmp_path, "stopped")
    assert len([line for line in log if "gradient_norm" in line]) == 40
    assert [line for line in log if "gradient_norm" in line] == [line for line in whole if "gradient_norm" in line]


def test_a_bad_time_is_refused_under_its_flag(tmp_path):
    with pytest.raises(ConfigError) as refused:
        make_settings(tmp_path, tmp_path / "run", budget="soon")
    assert (refused.value.code, refused.value.values["field"]) == ("no-time", "budget")


@pytest.mark.parametrize(
    ("given_flags", "changes", "code"),
    [
        (("steps", "budget"), {"budget": "2h"}, "excluding-flags"),
        (("max_seq_length", "phases"), {"phases": "16:0.5,32:0.5"}, "excluding-flags"),
        ((), {"budget": "2h", "phases": "16:0.5,32:0.5"}, "phases-with-budget"),
    ],
)
def test_flags_that_exclude_each_other_are_refused(tmp_path, given_flags, changes, code):
    settings = make_settings(tmp_path, tmp_path / "run", **changes)
    with pytest.raises(UsageError) as refused:
        pretrain(settings, given={name: getattr(settings, name) for name in given_flags})
    assert refused.value.code == code


def test_phases_are_one_run_with_one_schedule(tmp_path, monkeypatch):
    make_config(tmp_path)
    store = make_store(tmp_path)
    settings = make_settings(tmp_path, tmp_path / "run", phases="16:0.5,32:0.5", steps=8)
    made = workload_of(settings, store, start_of(settings, store, ignore), Objective.MLM_NSP)
    assert isinstance(made, Pretraining)
    (tmp_path / "run").mkdir()
    rates, original = [], loop._update
    monkeypatch.setattr(loop, "_update", lambda *arguments: rates.append(arguments[-1]) or original(*arguments))
    run(settings, made, ENGINE, RunFolder(tmp_path / "run"), ignore)
    assert rates == [Schedule(3e-3, 8, 0.1, Decay.GOOGLE_2018).rate(step) for step in range(8)]
