"""The statistics of instances for a reader: rows of a table, and the page with its charts."""

from collections.abc import Sequence

from bertsmith.data.instance_settings import InstanceSettings, Objective, Unit
from bertsmith.data.instance_statistics import LONGEST_RUN, InstanceStatistics, StoreStatistics
from bertsmith.data.masking import LENGTHS
from bertsmith.jobs.text_table import aligned
from bertsmith.messages import Phrase
from bertsmith.records.page import Chart, Item, Page, Section, Series, Table

Row = tuple[Phrase, Phrase, Phrase]  # what, found, expected
_NOTHING = Phrase("", "")
_FOUND, _EXPECTED = Phrase("found", "实际"), Phrase("expected", "预期")
_BINS = 32  # of a histogram of lengths
_ONE_SENTENCE = Phrase("documents of one sentence", "单句文档")


def rows_of(found: InstanceStatistics, text: StoreStatistics, settings: InstanceSettings, objective: Objective) -> list[Row]:
    """Everything that was counted, beside what the settings say."""
    rules = Unit(settings.mask_unit)
    mean, longest = found.tokens / found.instances, settings.max_seq_length
    most = _percent(_rounded_share(found, settings))
    at_most = most if rules is Unit.TOKEN else Phrase(f"at most {most.en}", f"至多 {most.zh}")
    least, median, largest = _quantiles(found.predicted)
    rows = [
        (Phrase("instances", "样本"), _same(f"{found.instances:,}"), _NOTHING),
        (
            Phrase("mean length", "平均长度"),
            Phrase(f"{mean:.1f} of {longest} tokens", f"{mean:.1f} / {longest} 词元"),
            _NOTHING,
        ),
        (Phrase("fill", "填充率"), _percent(mean / longest), _NOTHING),
        (Phrase("predicted tokens", "被预测的词元"), _percent(found.predicted_tokens / found.tokens), at_most),
        (
            Phrase("predicted in an instance", "每个样本的预测数"),
            Phrase(f"{least} to {largest}, median {median}", f"{least} 到 {largest}，中位数 {median}"),
            _NOTHING,
        ),
        (Phrase("  shown as [MASK]", "  显示为 [MASK]"), _percent(found.replaced_share), _percent(settings.replaced_share)),
        (Phrase("  shown as they are", "  保持原样"), _percent(found.kept_share), _percent(settings.kept_share)),
        (
            Phrase("  shown as a random piece", "  换成随机词片"),
            _percent(1 - found.replaced_share - found.kept_share),
            _percent(1 - settings.replaced_share - settings.kept_share),
        ),
    ]
    if found.whole_share is not None:
        whole = _NOTHING if rules is Unit.TOKEN else _percent(1.0)
        rows.append(
            (Phrase("words of several pieces hidden whole", "多词片的词被整体遮盖"), _percent(found.whole_share), whole)
        )
    runs = sum(length * count for length, count in enumerate(found.runs, 1)) / max(sum(found.runs), 1)
    rows.append((Phrase("mean run of hidden words", "连续被遮盖的词数均值"), _same(f"{runs:.2f}"), _NOTHING))
    if found.label_share is not None and found.predicted_label_share is not None:
        share = _percent(found.predicted_label_share).en
        rows.append((_label_name(objective), _percent(found.label_share), _same(f"{share} ± {found.label_error:.1%}")))
    rows.append((_ONE_SENTENCE, _percent(text.one_sentence_documents), _NOTHING))
    rows.append((Phrase("[UNK] in the training text", "训练文本中的 [UNK]"), _same(f"{text.unknown_share:.2%}"), _NOTHING))
    return rows


def lines_of(rows: Sequence[Row]) -> list[Phrase]:
    """The rows for a terminal, a heading above them."""
    heading = (Phrase("of the first instances", "开头的样本"), _FOUND, _EXPECTED)
    table = [heading, *rows]
    english, chinese = (aligned([[cell.text(language) for cell in row] for row in table]) for language in ("en", "zh"))
    return [Phrase(en, zh) for en, zh in zip(english, chinese, strict=True)]


def page_of(
    rows: Sequence[Row], found: InstanceStatistics, settings: InstanceSettings, shown: Sequence[tuple[Phrase, str, str]]
) -> Page:
    """The page: the numbers, pictures of their distributions, and some instances.

    Args:
        rows: of `rows_of`.
        found: what was counted.
        settings: what the instances are made with.
        shown: of some instances their kind, their text, and the hidden pieces.
    """
    columns = (Phrase("measure", "指标"), _FOUND, _EXPECTED)
    numbers = Table(Phrase("Counts", "统计"), columns, tuple(rows))
    names = (Phrase("label", "标签"), Phrase("what the network sees", "网络看到的"), Phrase("hidden", "被遮盖的"))
    examples = Table(Phrase("The first instances", "开头的样本"), names, tuple(shown))
    return Page(
        Phrase("Pretraining instances", "预训练样本"),
        Phrase(
            f"{found.instances:,} instances with {found.tokens:,} tokens, as `pretrain` would see them with these settings.",
            f"{found.instances:,} 个样本，共 {found.tokens:,} 个词元，与相同设置下 pretrain 所见一致。",
        ),
        (
            Section(Phrase("What they are", "概况"), (numbers,)),
            Section(Phrase("Distributions", "分布"), _charts(found, settings)),
            Section(Phrase("Examples", "示例"), (examples,)),
        ),
    )


def _charts(found: InstanceStatistics, settings: InstanceSettings) -> tuple[Item, ...]:
    tokens, share, words = Phrase("tokens", "词元"), Phrase("share", "比例"), Phrase("words", "词")
    lengths = _binned(found.lengths, max(1, -(-len(found.lengths) // _BINS)))
    predicted = _binned(found.predicted, 1)
    total = max(sum(found.runs), 1)
    places = tuple(float(length) for length in range(1, LONGEST_RUN + 1))
    runs = [Series(_FOUND, places, tuple(count / total for count in found.runs))]
    drawn = LENGTHS.get(Unit(settings.mask_unit), ())
    if drawn:
        runs.append(Series(Phrase("drawn lengths", "抽取的长度"), places[: len(drawn)], tuple(drawn), dashed=True))
    caption = Phrase(
        "Runs that meet are counted as one, and the last one of a sequence ends with the budget; so they are shorter than what is "
        "drawn, the more so in short sequences. From ten words on they are counted together.",
        "相邻的片段合并计数，每个序列的最后一段受预算限制，因此比抽取的长度短，序列越短越明显；十个词以上合并计数。",
    )
    return (
        Chart(Phrase("Lengths of the instances", "样本长度"), tokens, share, (Series(_FOUND, *lengths),)),
        Chart(Phrase("Predicted tokens of an instance", "每个样本的预测词元数"), tokens, share, (Series(_FOUND, *predicted),)),
        Chart(Phrase("Runs of hidden words", "连续被遮盖的词"), words, share, tuple(runs), caption),
    )


def _binned(counts: Sequence[int], width: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """The middles of bins and the shares in them."""
    total = max(sum(counts), 1)
    starts = range(0, len(counts), width)
    middles = tuple(start + (width - 1) / 2 for start in starts)
    return middles, tuple(sum(counts[start : start + width]) / total for start in starts)


def _quantiles(counts: Sequence[int]) -> tuple[int, int, int]:
    """The least, the median and the largest value of a histogram."""
    there = [value for value, count in enumerate(counts) if count]
    half, before, median = sum(counts) / 2, 0, there[-1]
    for value in there:
        before += counts[value]
        if before >= half:
            median = value
            break
    return there[0], median, there[-1]


def _rounded_share(found: InstanceStatistics, settings: InstanceSettings) -> float:
    """The share of predicted tokens that these lengths allow: of each the share, rounded to whole tokens, one at least."""
    most = settings.most_predicted or settings.max_seq_length
    allowed = (count * min(max(round(settings.masked_share * n), 1), most) for n, count in enumerate(found.lengths))
    return sum(allowed) / found.tokens


def _label_name(objective: Objective) -> Phrase:
    return Phrase("swapped", "被调换的句对") if objective is Objective.MLM_SOP else Phrase("not next", "非下一句")


def _percent(share: float) -> Phrase:
    return _same(f"{abs(share):.1%}")


def _same(text: str) -> Phrase:
    return Phrase(text, text)
