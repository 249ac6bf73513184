"""`compare` puts runs beside each other by their folders alone, finished or under way."""

import json

import pytest
from tiny_job import bertsmith, done

from bertsmith.jobs import compare as job
from bertsmith.jobs.compare_runs import POINTS, read_runs
from bertsmith.jobs.compare_settings import CompareSettings
from bertsmith.messages import Phrase
from bertsmith.progress import Picture
from bertsmith.records.page import Page, to_json
from bertsmith.records.run import RunFolder, RunRecord, Setting
from bertsmith.records.scores import Score

PAGE = Page(Phrase("a", "甲"), Phrase("b", "乙"), ())
SCORE = Score("mlm_loss", 3.25, "held-out", 100, 1, None, ("unigram", 5.0))


def run(path, steps=10, finished=True, rate=1e-3, data="aa", versions=None, tokens=True, kind="pretrain"):
    """A run folder with a short log, evaluated behind every fifth step."""
    settings = {"learning_rate": Setting(rate, "flag"), "steps": Setting(20), "output": Setting(str(path))}
    folder = RunFolder(path)
    folder.begin(RunRecord(kind, settings, {"store": data * 32}, versions or {"torch": "2"}, {"cores": 2}))
    for step in range(1, steps + 1):
        line = {"step": step, "mlm_loss": 10.0 / step, "gradient_norm": 1.0}
        folder.log(line | {"tokens": 100} if tokens else line)
        if step % 5 == 0:
            folder.log({"step": step, "evaluation": True, "mlm_loss": 20.0 / step})
    if finished:
        folder.finish({"scores": to_json([SCORE])}, PAGE)
    return path


def finetune_run(path, seeds):
    """A fine-tuning run: for each seed the dev loss behind steps 1, 2 …"""
    folder = RunFolder(path)
    folder.begin(RunRecord("finetune", {}, {}, {}, {}))
    for seed, losses in enumerate(seeds):
        part = folder.part(f"seeds/{seed}")
        part.path.mkdir(parents=True)
        for step, loss in enumerate(losses, 1):
            part.log({"step": step, "loss": loss, "gradient_norm": 1.0})
            part.log({"step": step, "evaluation": True, "loss": loss})
    return path


@pytest.fixture
def two(tmp_path):
    return run(tmp_path / "slow"), run(tmp_path / "fast", steps=5, finished=False, rate=3e-3)


def test_a_finished_run_shows_its_score_with_everything_that_it_is(two):
    (line,) = [line for line in done("compare", *two).out.splitlines() if "3.250" in line]
    assert line.split("  ")[1:3] == ["slow", "3.250 (held out, n = 100, one seed, unigram 5.000)"]
    assert line.split()[-3:] == ["(step", "10)", "4.000"]
    chinese = done("compare", *two, language="zh")
    assert "slow  3.250（留出集，n = 100，1 个种子，一元频率 5.000）" in chinese.out


def test_a_run_without_a_result_is_marked_as_not_finished(two):
    assert "fast     5  not finished, 20 planned; last line" in done("compare", *two).out
    assert "未结束，计划 20 步" in done("compare", *two, language="zh").out
    assert [one["finished"] for one in done("compare", *two, "--json").json["runs"]] == [True, False]


def test_values_are_compared_at_the_last_step_that_all_have(tmp_path):
    runs = [run(tmp_path / f"{steps}", steps, finished=False) for steps in (12, 20)]
    assert done("compare", *runs, "--json").json["common_steps"] == {"mlm_loss": 10}
    assert "at step 10" in done("compare", *runs).out


def test_only_settings_that_differ_are_told_and_never_the_place_of_the_run(two):
    answer = done("compare", *two)
    assert "--learning-rate  0.001  0.003" in answer.out
    assert "--steps" not in answer.out and "--output" not in answer.out
    assert done("compare", *two, "--json").json["settings"] == {"learning_rate": [1e-3, 3e-3]}


def test_equal_and_different_data_are_told_apart(tmp_path, two):
    other = run(tmp_path / "other", data="bb")
    assert "--store  equal    aaaaaaaaaaaa  aaaaaaaaaaaa" in done("compare", *two).out
    assert done("compare", two[0], other, "--json").json["data"] == {"store": False}


def test_differing_versions_are_told(tmp_path, two):
    other = run(tmp_path / "other", versions={"torch": "3"})
    assert "torch  2     3" in done("compare", two[0], other).out
    assert "Versions: no difference." in done("compare", *two).out


def test_the_latest_training_value_is_the_mean_of_the_last_steps(two):
    latest = done("compare", *two, "--json").json["runs"][1]["training"]
    assert latest["mlm_loss"] == pytest.approx(sum(10 / n for n in range(1, 6)) / 5)
    assert "tokens" not in latest


def test_the_report_lays_the_curves_of_all_runs_over_each_other(tmp_path, two):
    answer = done("compare", *two, "--output", tmp_path / "compared")
    assert f"report: {tmp_path / 'compared' / 'report.html'}" in answer.out
    _, page = RunFolder(tmp_path / "compared").read_result()
    charts = [item for section in page.sections for item in section.items if hasattr(item, "series")]
    assert [chart.title.en for chart in charts][:2] == [
        "masked LM loss (nats), held out, over step",
        "masked LM loss (nats), held out, over tokens",
    ]
    assert all([series.name.en for series in chart.series] == ["slow", "fast"] for chart in charts)
    assert charts[0].series[0].xs == (5.0, 10.0) and charts[1].series[0].xs == (500.0, 1000.0)
    html = (tmp_path / "compared" / "report.html").read_text("utf-8")
    assert html.count("<svg") >= len(charts) and "slow" in html and "fast" in html


def test_a_comparison_written_again_holds_what_the_runs_logged_meanwhile(tmp_path, two):
    pages = []
    for _ in range(2):
        done("compare", *two, "--output", tmp_path / "compared")
        pages.append((tmp_path / "compared" / "result.json").read_text(encoding="utf-8"))
        RunFolder(two[1]).log({"step": 10, "evaluation": True, "mlm_loss": 1.625})
    assert "1.625" not in pages[0] and "1.625" in pages[1]


def test_there_is_no_chart_over_tokens_where_one_run_logged_none(tmp_path, two):
    old = run(tmp_path / "old", tokens=False)
    curves = read_runs([str(old)])[0].held_out["mlm_loss"]
    assert curves.tokens == () and curves.seconds == ()
    done("compare", two[0], old, "--output", tmp_path / "compared")
    _, page = RunFolder(tmp_path / "compared").read_result()
    titles = [item.title.en for section in page.sections for item in section.items if hasattr(item, "series")]
    assert any("over step" in title for title in titles) and not any("over tokens" in title for title in titles)


def test_time_is_known_where_the_run_planned_by_the_clock(tmp_path):
    path = run(tmp_path / "timed", finished=False)
    RunFolder(path).log({"step": 5, "planned_steps": 40, "place": 5.0, "spent_seconds": 10.0})
    (one,) = read_runs([str(path)])
    assert one.held_out["mlm_loss"].seconds == (10.0, 20.0)
    assert one.planned == 40


def test_a_long_training_curve_is_thinned_by_means(tmp_path):
    (one,) = read_runs([str(run(tmp_path / "long", steps=2 * POINTS))])
    curve = one.training["mlm_loss"]
    assert len(curve.steps) == POINTS and curve.steps[0] == 2.0
    assert curve.values[0] == pytest.approx((10 / 1 + 10 / 2) / 2)


def test_curves_of_fine_tuning_are_means_over_the_seeds_that_came_so_far(tmp_path):
    paths = [str(finetune_run(tmp_path / name, [[4.0, 2.0], [2.0]])) for name in ("one", "two")]
    curve = read_runs(paths)[0].held_out["loss"]
    assert (curve.steps, curve.values) == ((1.0, 2.0), (3.0, 2.0))


def test_runs_of_one_name_are_told_apart_by_their_paths(tmp_path):
    paths = [str(run(tmp_path / place / "run")) for place in ("a", "b")]
    assert [one.name for one in read_runs(paths)] == paths


def test_the_half_written_last_line_of_a_run_under_way_is_left_out(two):
    with open(two[1] / "log.jsonl", "a") as file:
        file.write('{"step": 6, "mlm_')
    assert done("compare", *two, "--json").json["runs"][1]["step"] == 5


def test_every_folder_that_cannot_be_compared_is_told_at_once(tmp_path, two):
    (two[0] / "run.json").write_text("{")
    (two[1] / "result.json").write_text('{"numbers": {}}')
    log = run(tmp_path / "log") / "log.jsonl"
    log.write_text("no json\n" + log.read_text())
    answer = bertsmith("compare", *two, log.parent, tmp_path / "nowhere")
    assert answer.code == 4
    for told in ("damaged-run", "report-damaged-result", f"{log}:1: ", "damaged-log", "no-run-to-compare"):
        assert told in answer.err


@pytest.mark.parametrize(("language", "word"), [("en", "runs of one job"), ("zh", "同一任务")])
def test_runs_of_different_jobs_are_refused(tmp_path, two, language, word):
    answer = bertsmith("compare", two[0], finetune_run(tmp_path / "tuned", [[1.0]]), language=language)
    assert answer.code == 4 and word in answer.err


def test_a_folder_of_another_job_is_no_run_to_compare(tmp_path, two):
    answer = bertsmith("compare", two[0], run(tmp_path / "other", kind="evaluate"))
    assert answer.code == 4 and "no-run-to-compare" in answer.err


def test_one_run_alone_is_refused_also_where_it_is_named_twice(two):
    for words in ([two[0]], [two[0], two[0] / "."]):
        answer = bertsmith("compare", *words)
        assert answer.code == 2 and "too-few-runs" in answer.err


def test_a_report_is_not_written_over_something_else(tmp_path, two):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").touch()
    assert bertsmith("compare", *two, "--output", tmp_path / "notes").code == 4


def watch(two, monkeypatch, between):
    """The pictures of a watched comparison, with something that happens between two looks."""
    pictures = []
    monkeypatch.setattr(job.time, "sleep", between)
    outcome = job.compare(CompareSettings(runs=tuple(map(str, two)), watch=True), given={}, listen=pictures.append)
    assert all(isinstance(picture, Picture) for picture in pictures)
    return outcome, pictures


def test_watching_draws_runs_anew_until_all_have_finished(two, monkeypatch):
    outcome, pictures = watch(two, monkeypatch, lambda seconds: RunFolder(two[1]).finish({"scores": []}, PAGE))
    first, second = ("\n".join(line.en for line in picture.lines) for picture in pictures)
    assert "1 not finished" in first and "all finished" in second
    assert all(one["finished"] for one in outcome.numbers["runs"])


def test_ctrl_c_ends_watching_with_the_result(two, monkeypatch):
    def press(seconds):
        raise KeyboardInterrupt

    outcome, pictures = watch(two, monkeypatch, press)
    assert len(pictures) == 1 and json.dumps(outcome.numbers)
    assert "未结束" in "\n".join(outcome.lines("zh"))
