"""What a fine-tuning run reports: scores over seeds beside baselines, the chosen seed's classes, curves."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from bertsmith.messages import Phrase
from bertsmith.messages.names import METRICS, SPLITS
from bertsmith.records.page import Cell, Chart, Item, Page, Paragraph, Section, Series, Table, to_json
from bertsmith.records.scores import Score
from bertsmith.tasks.baselines import Baseline
from bertsmith.tasks.metrics import Difference, paired_difference
from bertsmith.training.finetuning.run import SeedResult, TaskData, best_on_dev

_METRICS = ("accuracy", "macro_f1", "mcc")
_MEASURED = ("dev", "test")
Log = Sequence[Mapping[str, Any]]


def strongest(floors: Sequence[Baseline]) -> Baseline | None:
    """The baseline that dev finds best."""
    return max(floors, key=lambda floor: floor.dev.selected, default=None)


def seed_scores(results: Sequence[SeedResult], floor: Baseline | None, split: str = "test") -> list[Score]:
    """Each metric over the seeds on a split, beside one baseline."""
    measured = [result.test if split == "test" else result.dev for result in results]
    return [
        Score.over_seeds(
            metric,
            [float(getattr(one, metric)) for one in measured],
            split,
            measured[0].n,
            None if floor is None else (floor.key, float(getattr(floor.test if split == "test" else floor.dev, metric))),
        )
        for metric in _METRICS
    ]


def card_scores(results: Sequence[SeedResult], floors: Sequence[Baseline]) -> list[Score]:
    """The scores of the model card."""
    return seed_scores(results, strongest(floors))


def lead(results: Sequence[SeedResult], floor: Baseline | None, data: TaskData) -> Difference | None:
    """How much more often the seeds are right on test than a baseline, on the same examples; None without one."""
    targets_B = data.test[1]
    if floor is None or not len(targets_B):
        return None
    right = np.mean([result.test_logits_BC.argmax(1) == targets_B for result in results], axis=0)
    return paired_difference(right, floor.test_answers == targets_B, seed=0)


def numbers_of(results: Sequence[SeedResult], floors: Sequence[Baseline], data: TaskData) -> dict[str, Any]:
    """Everything that was measured, as JSON holds it."""
    best = best_on_dev(list(results))
    difference = lead(results, strongest(floors), data)
    return {
        "scores": to_json(seed_scores(results, strongest(floors))),
        "chosen_seed": best.seed,
        "seeds": [{"seed": r.seed, "dev": r.dev.as_json(), "test": r.test.as_json()} for r in results],
        "baselines": {f.key: {"chosen": f.chosen, "dev": f.dev.as_json(), "test": f.test.as_json()} for f in floors},
        "lead_over_baseline": None if difference is None else vars(difference),
        "examples": {"train": len(data.train[1]), "dev": len(data.dev[1]), "test": len(data.test[1])},
        "cut_share": data.cut_share,
    }


def page_of(results: Sequence[SeedResult], floors: Sequence[Baseline], data: TaskData, logs: Mapping[int, Log]) -> Page:
    """The page of a finished run."""
    best = best_on_dev(list(results))
    return Page(
        Phrase("Fine-tuning", "微调"),
        summary_of(results, floors, data),
        (
            Section(Phrase("Result", "结果"), result_items(results, floors, data)),
            Section(
                Phrase(f"Classes (seed {best.seed}, chosen on dev; test)", f"各类别（种子 {best.seed}，由开发集选出；测试集）"),
                best.test.items(),
            ),
            Section(Phrase("Curves", "曲线"), curves_of(logs, data.task.selection)),
        ),
    )


def summary_of(results: Sequence[SeedResult], floors: Sequence[Baseline], data: TaskData) -> Phrase:
    """One sentence: the score, and whether it is above the best simple model."""
    score = next(s for s in seed_scores(results, None) if s.metric == data.task.selection)
    metric, floor = METRICS[score.metric], strongest(floors)
    en, zh = (
        f"Test {metric.en} {score.text()} over {score.seeds} seeds",
        f"测试集{metric.zh} {score.text()}（{score.seeds} 个种子）",
    )
    difference = lead(results, floor, data)
    if floor is None or difference is None:
        return Phrase(f"{en}.", f"{zh}。")
    interval = f"{difference.value:+.3f} [{difference.low:+.3f}, {difference.high:+.3f}]"
    verdict = (
        Phrase("above", "优于")
        if difference.low > 0
        else Phrase("below", "低于")
        if difference.high < 0
        else Phrase("not clearly different from", "与之无明显差别：")
    )
    return Phrase(
        f"{en}: {verdict.en} the best simple model ({floor.name.en}); accuracy {interval}, 95 % interval.",
        f"{zh}：{verdict.zh}最好的简单模型（{floor.name.zh}）；准确率差 {interval}（95% 区间）。",
    )


def result_items(results: Sequence[SeedResult], floors: Sequence[Baseline], data: TaskData) -> tuple[Item, ...]:
    """The table of all models on dev and test, and a word on cut texts."""
    columns = (
        Phrase("model", "模型"),
        *(
            Phrase(f"{METRICS[m].en}, {SPLITS[split].en}", f"{METRICS[m].zh}，{SPLITS[split].zh}")
            for split in _MEASURED
            for m in ("accuracy", "macro_f1")
        ),
    )
    ours: tuple[Cell, ...] = (
        Phrase("BERT", "BERT"),
        *(score for split in _MEASURED for score in seed_scores(results, None, split)[:2]),
    )
    rows = [ours, *(floor_row(floor) for floor in floors)]
    items: list[Item] = [Table(Phrase("Scores", "得分"), columns, tuple(rows), highlight=0)]
    if data.cut_share:
        share = f"{data.cut_share:.1%}"
        items.append(
            Paragraph(
                Phrase(f"{share} of the texts were cut to the longest sequence.", f"{share} 的文本被截断到最长序列。"),
                "warning",
            )
        )
    return tuple(items)


def floor_row(floor: Baseline) -> tuple[Cell, ...]:
    """A baseline's scores on dev and test."""
    results = {"dev": floor.dev, "test": floor.test}
    return (
        floor.name,
        *(
            Score(m, float(getattr(results[split], m)), split, results[split].n)
            for split in _MEASURED
            for m in ("accuracy", "macro_f1")
        ),
    )


def curves_of(logs: Mapping[int, Log], selection: str) -> tuple[Item, ...]:
    """Dev loss and dev metric of every seed over the steps."""
    charts = []
    for metric, name in (("loss", Phrase("dev loss", "开发集损失")), (selection, METRICS[selection])):
        series = []
        for seed, log in logs.items():
            points = [(float(entry["step"]), float(entry[metric])) for entry in log if entry.get("evaluation")]
            xs, ys = zip(*points, strict=True) if points else ((), ())
            series.append(Series(Phrase(f"seed {seed}", f"种子 {seed}"), tuple(xs), tuple(ys)))
        charts.append(Chart(name, Phrase("step", "步"), name, tuple(series)))
    return tuple(charts)
