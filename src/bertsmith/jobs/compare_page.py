"""What `compare` shows of runs: the same tables for the terminal and for the report, which has the curves as well."""

from collections.abc import Callable, Mapping, Sequence

from bertsmith.jobs.compare_runs import POINTS, RECENT, Curve, Run, common_step, measures, settings_of, told_measure
from bertsmith.messages import Phrase, flag_of
from bertsmith.messages.names import BASELINES, SPLITS, named
from bertsmith.records.page import Cell, Chart, Item, Page, Paragraph, Section, Series, Table
from bertsmith.records.scores import Score

_RUN, _NOTHING = Phrase("run", "运行"), Phrase("–", "–")
_SAME, _OTHER = Phrase("equal", "相同"), Phrase("different", "不同")
_HASH_SHOWN = 12  # hex digits that a reader compares, as in the reports
_Places = Callable[[Curve], tuple[float, ...]]
_AXES: tuple[tuple[Phrase, _Places], ...] = (
    (Phrase("step", "步"), lambda curve: curve.steps),
    (Phrase("tokens", "词元"), lambda curve: curve.tokens),
    (Phrase("seconds of training", "训练秒数"), lambda curve: curve.seconds),
)


def summary_of(runs: Sequence[Run]) -> Phrase:
    """One sentence: how many runs of what, and how many of them are not finished."""
    count, left = len(runs), sum(run.scores is None for run in runs)
    job, names = runs[0].record.job, [run.name for run in runs]
    en, zh = f"{count} runs of {job}: {', '.join(names)}", f"{count} 次 {job} 运行：{'、'.join(names)}"
    if not left:
        return Phrase(f"{en}; all finished.", f"{zh}；均已结束。")
    return Phrase(f"{en}; {left} not finished.", f"{zh}；{left} 次未结束。")


def page_of(runs: Sequence[Run]) -> Page:
    """The page of a comparison."""
    sections = [
        Section(Phrase("Results", "结果"), tuple(result_tables(runs))),
        Section(Phrase("Curves", "曲线"), tuple(charts_of(runs))),
        Section(Phrase("What differs", "差异"), tuple(difference_items(runs))),
    ]
    return Page(Phrase("Runs compared", "运行比较"), summary_of(runs), tuple(one for one in sections if one.items))


def result_tables(runs: Sequence[Run]) -> list[Table]:
    """How far each run is, its latest values, and its scores where it is finished."""
    held_out = [held_out_table(runs, metric) for metric in _held_out_metrics(runs)]
    return [state_table(runs), *held_out, *training_tables(runs)]


def watched_tables(runs: Sequence[Run]) -> list[Table]:
    """The same in few lines, for a terminal that is drawn anew."""
    metrics = measures(run.held_out for run in runs)
    rows = [
        (told_measure(name), *(_last(run.held_out[name]) if name in run.held_out else None for run in runs)) for name in metrics
    ]
    title = Phrase("Held out, last logged", "留出集，最近记录")
    latest = [Table(title, (Phrase("measure", "指标"), *_titles(runs)), tuple(rows))] if rows else []
    return [state_table(runs), *latest, *training_tables(runs)]


def state_table(runs: Sequence[Run]) -> Table:
    """How far each run is."""
    columns = (_RUN, Phrase("step", "步"), Phrase("state", "状态"))
    return Table(Phrase("Runs", "运行"), columns, tuple((run.name, run.step, _state(run)) for run in runs))


def training_tables(runs: Sequence[Run]) -> list[Table]:
    """What the last steps of each run measured on training data; no table before there is a step."""
    rows = [(told_measure(name), *(run.latest.get(name) for run in runs)) for name in measures(run.training for run in runs)]
    title = Phrase(f"Training, mean of the last {RECENT} steps", f"训练，最近 {RECENT} 步的均值")
    return [Table(title, (Phrase("measure", "指标"), *_titles(runs)), tuple(rows))] if rows else []


def held_out_table(runs: Sequence[Run], metric: str) -> Table:
    """A metric on held-out data: the score of finished runs, the last value logged, and the value at a step that all have."""
    common = common_step(runs, metric)
    columns = [_RUN, Phrase("score", "得分"), Phrase("last logged", "最近记录")]
    if common is not None:
        columns.append(Phrase(f"at step {common:,}", f"第 {common:,} 步"))
    rows = []
    for run in runs:
        curve = run.held_out.get(metric)
        cells: list[Cell] = [run.name, _score(run, metric), None if curve is None else _last(curve)]
        if common is not None and curve is not None:
            cells.append(curve.values[curve.steps.index(common)])
        rows.append(tuple(cells))
    return Table(told_measure(metric), tuple(columns), tuple(rows))


def difference_items(runs: Sequence[Run]) -> list[Item]:
    """Settings that differ, data, and versions and machine that differ; a sentence where nothing does."""
    settings = {run.name: {flag_of(name): _setting(value) for name, value in settings_of(run).items()} for run in runs}
    versions = {run.name: run.record.versions for run in runs}
    machines = {run.name: {name: str(value) for name, value in run.record.machine.items()} for run in runs}
    parts = (
        (Phrase("Settings", "设置"), _differing(settings)),
        (Phrase("Versions", "版本"), _differing(versions)),
        (Phrase("Machine", "机器"), _differing(machines)),
    )
    items: list[Item] = []
    for title, rows in parts:
        if rows:
            items.append(Table(title, (Phrase("name", "名称"), *_titles(runs)), tuple(rows)))
        else:
            items.append(Paragraph(Phrase(f"{title.en}: no difference.", f"{title.zh}：无差异。")))
    items.insert(1, _data_table(runs))
    return items


def charts_of(runs: Sequence[Run]) -> list[Chart]:
    """Each measure of training and of held-out data over steps, and over tokens and time where every run logged them."""
    sorts: tuple[tuple[Phrase, Callable[[Run], Mapping[str, Curve]]], ...] = (
        (Phrase("held out", "留出集"), lambda run: run.held_out),
        (Phrase("training", "训练"), lambda run: run.training),
    )
    charts = []
    for sort, curves_of in sorts:
        for name in measures(map(curves_of, runs)):
            drawn = {run.name: curves_of(run)[name] for run in runs if name in curves_of(run)}
            told = told_measure(name)
            for axis, places in _AXES:
                if not all(places(curve) for curve in drawn.values()):
                    continue
                title = Phrase(f"{told.en}, {sort.en}, over {axis.en}", f"{told.zh}，{sort.zh}，横轴为{axis.zh}")
                series = tuple(Series(Phrase(run, run), places(curve), curve.values) for run, curve in drawn.items())
                charts.append(Chart(title, axis, told, series, _caption(runs, sort)))
    return charts


def _caption(runs: Sequence[Run], sort: Phrase) -> Phrase | None:
    if runs[0].record.job == "finetune":
        return Phrase("Mean over the seeds that came so far.", "已完成到该步的各种子的均值。")
    if sort.en == "training":
        return Phrase(f"At most {POINTS} points a run, each a mean over steps.", f"每次运行最多 {POINTS} 点，每点为多步均值。")
    return None


def _held_out_metrics(runs: Sequence[Run]) -> list[str]:
    scored = [score.metric for run in runs for score in run.scores or ()]
    return list(dict.fromkeys([*measures(run.held_out for run in runs), *scored]))


def _titles(runs: Sequence[Run]) -> list[Phrase]:
    return [Phrase(run.name, run.name) for run in runs]


def _state(run: Run) -> Phrase:
    """Finished; or not, with the time since the last line, from which a reader sees whether it still runs."""
    if run.scores is not None:
        return Phrase("finished", "已结束")
    of = "" if run.planned is None else f"{run.planned:,}"
    en, zh = ("running or stopped", "进行中或已停止") if not of else (f"not finished, {of} planned", f"未结束，计划 {of} 步")
    if run.idle is None:
        return Phrase(f"{en}; nothing logged yet", f"{zh}；尚无记录")
    return Phrase(f"{en}; last line {run.idle:,.0f} s ago", f"{zh}；{run.idle:,.0f} 秒前有记录")


def _score(run: Run, metric: str) -> Cell:
    if run.scores is None:
        return Phrase("not finished", "未结束")
    return next((score for score in run.scores if score.metric == metric), None)


def _last(curve: Curve) -> Phrase:
    value, step = f"{curve.values[-1]:.3f}", f"{curve.steps[-1]:,.0f}"
    return Phrase(f"{value} (step {step})", f"{value}（第 {step} 步）")


def _setting(value: object) -> str:
    """A value as a person would type it; empty where there is none."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _differing(values: Mapping[str, Mapping[str, str]]) -> list[tuple[Cell, ...]]:
    """A row for each name whose value is not the same in all runs."""
    names = dict.fromkeys(name for own in values.values() for name in own)
    rows = [(name, *(own.get(name) or _NOTHING for own in values.values())) for name in names]
    return [row for row in rows if len({str(cell) for cell in row[1:]}) > 1]


def _data_table(runs: Sequence[Run]) -> Table:
    """Whether the runs saw the same data, by the hashes of their files."""
    names = dict.fromkeys(name for run in runs for name in run.record.data)
    rows = []
    for name in names:
        hashes = [run.record.data.get(name) for run in runs]
        same = _SAME if len(set(hashes)) == 1 else _OTHER
        rows.append((flag_of(name), same, *(_NOTHING if one is None else one[:_HASH_SHOWN] for one in hashes)))
    columns = (Phrase("name", "名称"), Phrase("content", "内容"), *_titles(runs))
    return Table(Phrase("Data", "数据"), columns, tuple(rows), caption=Phrase("By SHA-256.", "按 SHA-256。"))


def cell_text(cell: Cell, language: str) -> str:
    """A cell on the terminal, a score with everything that it is."""
    if isinstance(cell, Score):
        parts = [named(SPLITS, cell.split).text(language), f"n = {cell.n:,}"]
        if cell.seeds:
            parts.append(
                f"{cell.seeds} 个种子" if language == "zh" else "one seed" if cell.seeds == 1 else f"{cell.seeds} seeds"
            )
        if cell.baseline is not None:
            parts.append(f"{named(BASELINES, cell.baseline[0]).text(language)} {cell.baseline[1]:.3f}")
        return f"{cell.text()}（{'，'.join(parts)}）" if language == "zh" else f"{cell.text()} ({', '.join(parts)})"
    if isinstance(cell, Phrase):
        return cell.text(language)
    if isinstance(cell, float):
        return f"{cell:.3f}"
    return "–" if cell is None else f"{cell:,}" if isinstance(cell, int) else cell
