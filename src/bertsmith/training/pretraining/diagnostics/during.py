"""Symptoms that are asked while a network learns: the shelf, the loss against frequencies, pairs, spikes, speed, held-out text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import sqrt
from statistics import fmean, median

from bertsmith.messages import Phrase
from bertsmith.training.pretraining.diagnostics.reference_curves import BAND
from bertsmith.training.pretraining.diagnostics.symptom import CLEAR, Symptom, Values

WINDOW = 50  # steps whose mean is looked at: at 32 sequences the standard error of a loss is then about .02
FORECAST = 20  # steps behind which the speed is known: the first of them fill memory and caches
LEAST_MINUTES = 2  # a shorter run is over before anyone has read how long it takes
SHELF = 0.5
ABOVE = 0.3
KNOWN, KNOWN_EARLY, EARLY = 0.9, 0.6, 500
SPIKE = 1.0
GRADIENT_SPIKE = 10.0
SLOWER = 0.6
FORGOTTEN = 0.1


@dataclass(frozen=True)
class During:
    """What is known behind a step.

    Args:
        step: steps done.
        warmup_steps: steps in which the rate rises.
        entropy: of the unigram in nats: the masked LM loss of a network that knows frequencies alone.
        measures: name → value of every step so far.
        evaluations: name → values on held-out text so far.
        majority: accuracy of always giving the more frequent label of a pair, None without pairs.
        pairs: sequences of a step.
        steps: of the whole run, None where time decides.
        tokens: of every step.
        seconds: of every step of this process.
        still: names of the arrays whose gradient was zero everywhere at this step; empty where it was not looked at.
        seen: tokens of all steps, those before the run was stopped included.
        expected: the share of the unigram's loss that our own run of this size had on held-out text behind so many tokens; None where none is known, and at steps that follow no evaluation.
    """

    step: int
    warmup_steps: int
    entropy: float
    measures: Mapping[str, Sequence[float]]
    evaluations: Mapping[str, Sequence[float]]
    majority: float | None
    pairs: int
    steps: int | None
    tokens: Sequence[int]
    seconds: Sequence[float]
    still: Sequence[str]
    seen: int
    expected: float | None

    def recent(self, name: str, back: int = 0) -> float:
        """The mean of a measure over the last window, or over the window that ended `back` steps ago."""
        values = self.measures[name]
        end = len(values) - back
        return fmean(values[max(end - WINDOW, 0) : end])


def _forecast(facts: During) -> Values | None:
    if facts.steps is None or len(facts.seconds) < FORECAST or facts.step >= facts.steps:
        return None
    seconds, tokens = median(facts.seconds[-FORECAST // 2 :]), facts.tokens[-FORECAST // 2 :]
    left = seconds * (facts.steps - facts.step)
    if left < LEAST_MINUTES * 60:
        return None
    return {"speed": f"{fmean(tokens) / seconds:,.0f}", "minutes": f"{left / 60:,.0f}"}


def _shelf(facts: During) -> Values | None:
    if facts.step < 2 * WINDOW or abs(facts.recent("mlm_loss") - facts.entropy) > SHELF:
        return None
    return {"loss": f"{facts.recent('mlm_loss'):.2f}", "entropy": f"{facts.entropy:.2f}"}


def _worse_than_frequencies(facts: During) -> Values | None:
    if facts.step < max(facts.warmup_steps, WINDOW) + WINDOW:
        return None
    now, before = facts.recent("mlm_loss"), facts.recent("mlm_loss", WINDOW)
    # a network that starts with random biases comes down from log V, and is as yet no worse than it was
    return (
        {"loss": f"{now:.2f}", "entropy": f"{facts.entropy:.2f}"}
        if now > facts.entropy + ABOVE and now > before - ABOVE
        else None
    )


def _knows_answers(facts: During) -> Values | None:
    accuracy = facts.recent("mlm_accuracy")
    bound = KNOWN_EARLY if facts.step <= EARLY else KNOWN
    return {"accuracy": f"{accuracy:.1%}"} if facts.step >= WINDOW and accuracy > bound else None


def _standing_still(facts: During) -> Values | None:
    return {"count": len(facts.still), "names": ", ".join(facts.still[:3])} if facts.still else None


def _below_majority(facts: During) -> Values | None:
    if facts.majority is None or facts.step < 4 * WINDOW:
        return None
    accuracy = fmean(facts.measures["nsp_accuracy"][-4 * WINDOW :])
    error = sqrt(facts.majority * (1 - facts.majority) / (4 * WINDOW * facts.pairs))
    if accuracy > facts.majority - CLEAR * error - FORGOTTEN:
        return None
    return {"accuracy": f"{accuracy:.3f}", "majority": f"{facts.majority:.3f}"}


def _loss_spike(facts: During) -> Values | None:
    losses = facts.measures["mlm_loss"]
    if facts.step < 2 * WINDOW:
        return None
    usual = median(losses[-WINDOW - 1 : -1])
    return {"loss": f"{losses[-1]:.2f}", "usual": f"{usual:.2f}"} if losses[-1] > usual + SPIKE else None


def _gradient_spike(facts: During) -> Values | None:
    norms = facts.measures["gradient_norm"]
    if facts.step < 2 * WINDOW:
        return None
    usual = median(norms[-2 * WINDOW - 1 : -1])
    return {"norm": f"{norms[-1]:.1f}", "usual": f"{usual:.2f}"} if norms[-1] > GRADIENT_SPIKE * usual else None


def _slower(facts: During) -> Values | None:
    if len(facts.seconds) < 3 * WINDOW:
        return None
    speeds = [tokens / max(seconds, 1e-9) for tokens, seconds in zip(facts.tokens[-len(facts.seconds) :], facts.seconds)]
    now, first = median(speeds[-WINDOW:]), median(speeds[WINDOW : 2 * WINDOW])
    return {"now": f"{now:,.0f}", "first": f"{first:,.0f}"} if now < SLOWER * first else None


def _by_heart(facts: During) -> Values | None:
    losses = facts.evaluations.get("mlm_loss", ())
    if len(losses) < 3 or losses[-1] < min(losses) + FORGOTTEN or facts.recent("mlm_loss") > facts.recent("mlm_loss", WINDOW):
        return None
    return {"loss": f"{losses[-1]:.2f}", "best": f"{min(losses):.2f}"}


def _beside_reference(facts: During, outside: bool) -> Values | None:
    losses = facts.evaluations.get("mlm_loss", ())
    if facts.expected is None or not losses:
        return None
    share = losses[-1] / facts.entropy
    if (share > facts.expected + BAND) is not outside:
        return None
    values = {"loss": f"{losses[-1]:.2f}", "share": f"{share:.0%}", "expected": f"{facts.expected:.0%}"}
    return values | {"tokens": f"{facts.seen / 1e6:.1f}"}


_OF_REFERENCE = Phrase(
    "our reference runs, page “What small BERTs learn”; the band holds their seeds, corpora and rates",
    "我们的参照运行，见“小型 BERT 学到了什么”；区间涵盖其种子、语料与学习率",
)
DURING: tuple[Symptom[During], ...] = (
    Symptom(
        "forecast",
        "{speed} tokens a second: the remaining steps take about {minutes} minutes, evaluations not counted",
        Phrase("the median of ten steps of this run", "本次运行十步的中位数"),
        _forecast,
        alarm=False,
    ),
    Symptom(
        "on-the-shelf",
        "the masked LM loss stands at {loss}, near that of guessing by frequency ({entropy}): every BERT rests on such a shelf for a while, and more updates or a higher "
        "rate end it, not more tokens",
        Phrase(
            "Megatron's published values (5.8 to 6.4 for 6,000 steps of BERT-large); own measurement: a mini leaves it behind 1.5 million tokens",
            "Megatron 公布的数值（BERT-large 前 6,000 步为 5.8 至 6.4）；自测：mini 在 150 万词元后离开平台",
        ),
        _shelf,
        alarm=False,
    ),
    Symptom(
        "in-the-band",
        "behind {tokens} million tokens the held-out loss is {loss}, {share} of that of guessing by frequency; our own runs of this size stood at {expected}",
        _OF_REFERENCE,
        partial(_beside_reference, outside=False),
        alarm=False,
    ),
    Symptom(
        "above-the-band",
        "behind {tokens} million tokens the held-out loss is {loss}, {share} of that of guessing by frequency, where our own runs of this size stood at {expected}: more updates "
        "(a smaller --batch-size) or a higher --learning-rate bring most in a short run",
        _OF_REFERENCE,
        partial(_beside_reference, outside=True),
        alarm=False,
    ),
    Symptom(
        "worse-than-frequencies",
        "the masked LM loss is {loss} behind the warm-up and no longer falls, where guessing by frequency reaches {entropy} → lower --learning-rate, or lengthen --warmup",
        Phrase(
            "provoked runs: thirty times the learning rate; healthy runs stay below the unigram's loss once the rate has risen",
            "设障运行：学习率三十倍；健康的运行在学习率升到峰值后低于一元频率的损失",
        ),
        _worse_than_frequencies,
    ),
    Symptom(
        "answers-seen",
        "{accuracy} of the hidden pieces are guessed: no network of this age does, so it must see the answers → check the masks with `bertsmith inspect STORE`",
        Phrase(
            "MLPerf's target for BERT-large is .72; provoked runs: .65 behind 200 steps with lost masks, .08 without; the bounds between are assumed",
            "MLPerf 对 BERT-large 的目标为 .72；设障运行：遮盖丢失时 200 步后为 .65，正常时为 .08；其间的界限为假定",
        ),
        _knows_answers,
    ),
    Symptom(
        "standing-still",
        "{count} arrays of the encoder get no gradient, and so do not learn: {names} → check what was frozen",
        Phrase(
            "a gradient of exactly zero in every number never comes by chance",
            "每个数都恰好为零的梯度不会碰巧出现",
        ),
        _standing_still,
    ),
    Symptom(
        "below-majority",
        "the pair head is right in {accuracy} of the pairs, where always giving the more frequent label is in {majority} → check the labels of the pairs",
        Phrase(
            "binomial, four standard errors and .1 of the last 200 steps",
            "二项分布，最近 200 步的四个标准误再加 .1",
        ),
        _below_majority,
    ),
    Symptom(
        "loss-spike",
        "the loss jumped to {loss} from {usual} → if it comes again, lower --learning-rate or look at the text of this step with `bertsmith inspect STORE`",
        Phrase(
            "provoked runs: a step of 32 sequences strays by .15 (standard deviation); one nat is six of them",
            "设障运行：32 条序列的一步波动 .15（标准差）；一个 nat 约为其六倍",
        ),
        _loss_spike,
    ),
    Symptom(
        "gradient-spike",
        "the gradient's norm jumped to {norm} from {usual} → if the loss jumps with it, lower --learning-rate",
        Phrase(
            "provoked runs: healthy ones stay within five times the median; the bound is assumed",
            "设障运行：健康的运行不超过中位数的五倍；界限为假定",
        ),
        _gradient_spike,
    ),
    Symptom(
        "slower",
        "{now} tokens a second, at the beginning {first}: something else needs this machine → close it, or see whether the processor is throttled",
        Phrase(
            "the bound is assumed; shared machines stray by a third",
            "界限为假定；共用的机器会有三分之一的波动",
        ),
        _slower,
    ),
    Symptom(
        "by-heart",
        "the loss on held-out text rose to {loss} from {best}, while that of training falls: the text is learned by heart → stop here, or give more text",
        Phrase(
            "google-research/bert issue 557 (one million lines: training loss .51, accuracy .88 at 300,000 steps)",
            "google-research/bert issue 557（一百万行：30 万步时训练损失 .51，准确率 .88）",
        ),
        _by_heart,
    ),
)
