"""Symptoms that are asked before the first step: vocabulary against text, repeats, sentences, masks, labels, rate, memory."""

from dataclasses import dataclass
from itertools import pairwise
from math import log, sqrt

from bertsmith.config.bert import BertConfig
from bertsmith.data.audit import InstanceAudit, StoreAudit
from bertsmith.data.instance_settings import Objective
from bertsmith.messages import Phrase
from bertsmith.training.pretraining.diagnostics.symptom import CLEAR, FAINT, Symptom, Values

MANY_UNKNOWN = 0.03
REPEATED_SENTENCES, REPEATED_DOCUMENTS = 0.05, 0.02
LONE_SENTENCES = 0.5
ONE_LABEL = 0.05
_PIECES = ((1000, 1.86), (2000, 1.58), (4000, 1.36), (8000, 1.24), (16000, 1.08), (30000, 1.06))
_PIECES_OVER = 1.3
FAST = 1.3
TOGETHER = 6  # tokens that may share a draw: those of a span do, and it has 3.8 on the mean (Joshi 2020, section 3.1)
DEEP = 12


@dataclass(frozen=True)
class Before:
    """What is known before the first step.

    Args:
        config: the network.
        store: the text.
        instances: what the network will see.
        pieces: size of the vocabulary.
        hidden_share: share of the predicted tokens that should show [MASK].
        objective: what is learned beside masked LM.
        learning_rate: at the peak.
        warmup_steps: steps in which the rate rises.
        memory: predicted peak in bytes, None on a GPU.
        available: memory of the machine that this process may use, in bytes, None where it is not known.
    """

    config: BertConfig
    store: StoreAudit
    instances: InstanceAudit
    pieces: int
    hidden_share: float
    objective: Objective
    learning_rate: float
    warmup_steps: int
    memory: int | None
    available: int | None


def expected_pieces(size: int) -> float:
    """Pieces a word in English with a vocabulary of this size that was learned from such text; straight lines between measured sizes."""
    for (small, more), (large, fewer) in pairwise(_PIECES):
        if size <= large:
            return more + (fewer - more) * max(log(size / small) / log(large / small), 0.0)
    return _PIECES[-1][1]


def _unknown(facts: Before) -> Values | None:
    share = facts.store.unknown_share
    return {"share": f"{share:.1%}"} if share > MANY_UNKNOWN else None


def _many_pieces(facts: Before) -> Values | None:
    found, usual = facts.store.pieces_per_word, expected_pieces(facts.pieces)
    return (
        {"found": f"{found:.2f}", "usual": f"{usual:.2f}", "pieces": f"{facts.pieces:,}"}
        if found > _PIECES_OVER * usual
        else None
    )


def _repeats(facts: Before) -> Values | None:
    sentences, documents = facts.store.repeated_sentences, facts.store.repeated_documents
    if sentences <= REPEATED_SENTENCES and documents <= REPEATED_DOCUMENTS:
        return None
    return {"sentences": f"{sentences:.0%}", "documents": f"{documents:.0%}"}


def _unrelated(facts: Before) -> Values | None:
    found = facts.store.cohesion
    if found is None or facts.objective is Objective.MLM or found.z >= FAINT:
        return None
    return {"together": f"{found.together:.3f}", "apart": f"{found.apart:.3f}", "pairs": f"{found.pairs:,}"}


def _out_of_order(facts: Before) -> Values | None:
    order, cohesion = facts.store.order, facts.store.cohesion
    if order is None or facts.objective is Objective.MLM or order.z >= FAINT or (cohesion and cohesion.z < FAINT):
        return None
    return {"together": f"{order.together:.3f}", "apart": f"{order.apart:.3f}", "pairs": f"{order.pairs:,}"}


def _lone_sentences(facts: Before) -> Values | None:
    share = facts.store.one_sentence_documents
    return {"share": f"{share:.0%}"} if share > LONE_SENTENCES and facts.objective is not Objective.MLM else None


def _shown_answers(facts: Before) -> Values | None:
    audit = facts.instances
    predicted = audit.predicted_tokens
    error = sqrt(facts.hidden_share * (1 - facts.hidden_share) * TOGETHER / max(predicted, 1))
    if abs(audit.hidden_share - facts.hidden_share) <= CLEAR * error + 1e-9:
        return None
    return {"found": f"{audit.hidden_share:.1%}", "wanted": f"{facts.hidden_share:.0%}", "shown": f"{audit.shown_share:.1%}"}


def _one_label(facts: Before) -> Values | None:
    share = facts.instances.label_share
    if share is None or ONE_LABEL <= share <= 1 - ONE_LABEL:
        return None
    return {"share": f"{share:.1%}"}


def _labels_turned(facts: Before) -> Values | None:
    found = facts.instances.cohesion
    if found is None or facts.objective is not Objective.MLM_NSP or found.z > -CLEAR:
        return None
    return {"together": f"{found.together:.3f}", "apart": f"{found.apart:.3f}"}


def _labels_at_random(facts: Before) -> Values | None:
    found, text = facts.instances.cohesion, facts.store.cohesion
    related = text is not None and text.z > 2 * CLEAR
    if found is None or facts.objective is not Objective.MLM_NSP or not related or abs(found.z) >= FAINT:
        return None
    return {"together": f"{found.together:.3f}", "apart": f"{found.apart:.3f}"}


def _fast(facts: Before) -> Values | None:
    limit = FAST / facts.config.hidden_size
    return {"rate": f"{facts.learning_rate:g}", "limit": f"{limit:.1g}"} if facts.learning_rate > limit else None


def _no_warmup(facts: Before) -> Values | None:
    layers = facts.config.num_hidden_layers
    return {"layers": layers, "steps": facts.warmup_steps} if layers >= DEEP and facts.warmup_steps < layers else None


def _cost(facts: Before) -> Values | None:
    if facts.memory is None or facts.available is None:
        return None
    return {
        "needed": f"{facts.memory / 2**30:.2f}",
        "available": f"{facts.available / 2**30:.1f}",
        "entropy": f"{facts.store.entropy:.2f}",
    }


def _memory(facts: Before) -> Values | None:
    if facts.memory is None or facts.available is None or facts.memory <= facts.available:
        return None
    return {"needed": f"{facts.memory / 2**30:.1f}", "available": f"{facts.available / 2**30:.1f}"}


BEFORE: tuple[Symptom[Before], ...] = (
    Symptom(
        "expected-cost",
        "a step needs about {needed} GiB of {available}; guessing by frequency reaches a masked LM loss of {entropy}",
        Phrase("config estimate, within 10 % of the measured peak", "config estimate，与实测峰值相差不超过 10 %"),
        _cost,
        alarm=False,
    ),
    Symptom(
        "unknown-pieces",
        "{share} of the tokens are [UNK]: the vocabulary cannot write this text → learn one from it (`bertsmith vocab`), or take the one of its language",
        Phrase(
            "own measurement: below 1 % with a vocabulary of the language, 58 % with an English one on Chinese",
            "自测：词表属于该语言时低于 1 %，用英文词表写中文时为 58 %",
        ),
        _unknown,
    ),
    Symptom(
        "many-pieces",
        "a word takes {found} pieces, where a vocabulary of {pieces} pieces that fits its text needs about {usual} → learn a vocabulary from this text",
        Phrase(
            "own measurement on English: 1.86 pieces a word with 1,000, 1.24 with 8,000, 1.06 with 30,000; 1.75 with the Chinese vocabulary; the bound is 1.3 of the usual, assumed",
            "自测英文：1,000 个词片时每词 1.86 个，8,000 个时 1.24 个，30,000 个时 1.06 个；用中文词表时 1.75 个；界限取通常值的 1.3 倍，为假定",
        ),
        _many_pieces,
    ),
    Symptom(
        "repeated-text",
        "{sentences} of the sentences and {documents} of the documents stood in the text before: a network learns them by heart → prepare it again with "
        "--repeated-lines drop --duplicates drop",
        Phrase(
            "google-research/bert issue 746 (thousands of repeated lines kept the loss near 7); natural text repeats below .4 %, own measurement",
            "google-research/bert issue 746（成千上万的重复行使损失停在 7 附近）；自测自然文本的重复低于 .4 %",
        ),
        _repeats,
    ),
    Symptom(
        "sentences-unrelated",
        "neighbouring sentences have no more words in common ({together}) than sentences of different documents ({apart}, {pairs} pairs): the text is "
        "shuffled, and next-sentence prediction cannot be learned → give documents with their sentences in order, or --objective mlm",
        Phrase(
            "own measurement: 12 to 28 standard errors apart in English and Chinese text, .2 when shuffled",
            "自测：中英文文本相差 12 至 28 个标准误，打乱后为 .2",
        ),
        _unrelated,
    ),
    Symptom(
        "sentences-out-of-order",
        "neighbouring sentences have no more words in common ({together}) than others of their document ({apart}, {pairs} pairs): the sentences of each "
        "document are out of order → prepare the text again in its order",
        Phrase(
            "own measurement: 13 to 15 standard errors apart in English and Chinese text, 1.2 when shuffled inside documents",
            "自测：中英文文本相差 13 至 15 个标准误，文档内打乱后为 1.2",
        ),
        _out_of_order,
    ),
    Symptom(
        "lone-sentences",
        "{share} of the documents have one sentence, so there is no next one to predict → say with --documents what a document is, or use --objective mlm",
        Phrase(
            "a document of one sentence yields only not-next pairs (create_pretraining_data.py); the bound is assumed",
            "只有一句的文档只产生“非下一句”句对（create_pretraining_data.py）；界限为假定",
        ),
        _lone_sentences,
    ),
    Symptom(
        "masks-lost",
        "{found} of the predicted tokens show [MASK] instead of {wanted}, and {shown} show the answer itself → look at `bertsmith inspect STORE`; the masks are not what they should be",
        Phrase(
            "binomial, four standard errors, of the first 2,000 instances",
            "二项分布，四个标准误，取最先的 2,000 个样本",
        ),
        _shown_answers,
    ),
    Symptom(
        "pairs-one-label",
        "{share} of the pairs have the label 1: always giving the more frequent one is as good as the truth → use --objective mlm, or longer documents",
        Phrase(
            "the procedure gives 50 to 66 % with six sentences a document and more; the bound is assumed",
            "每篇文档六句以上时该做法给出 50 至 66 %；界限为假定",
        ),
        _one_label,
    ),
    Symptom(
        "labels-turned",
        "pairs labelled next have fewer words in common ({together}) than those labelled not-next ({apart}): the labels are turned round → 0 is next, 1 is not-next",
        Phrase(
            "own measurement: 24 to 31 standard errors the other way in English and Chinese text",
            "自测：中英文文本在相反方向相差 24 至 31 个标准误",
        ),
        _labels_turned,
    ),
    Symptom(
        "labels-at-random",
        "pairs labelled next have as many words in common ({together}) as those labelled not-next ({apart}), in a text whose sentences hang together → the labels do not belong to the pairs",
        Phrase(
            "own measurement: 24 to 31 standard errors apart in English and Chinese text",
            "自测：中英文文本相差 24 至 31 个标准误",
        ),
        _labels_at_random,
    ),
    Symptom(
        "rate-high",
        "a learning rate of {rate} is more than a network of this width bears ({limit}) → lower --learning-rate",
        Phrase(
            "provoked runs: 1.3 / width lies above every rate that we trained with (3e-3 at 128, 1e-3 at 256, 1e-4 at 768) and below thirty times any of them; assumed between",
            "设障运行：1.3 / 宽度高于我们训练用过的每个学习率（宽 128 时 3e-3，256 时 1e-3，768 时 1e-4），低于其中任何一个的三十倍；其间为假定",
        ),
        _fast,
    ),
    Symptom(
        "no-warmup",
        "{layers} layers and {steps} steps of warm-up: deep networks with the norm behind each block do not start without one → --warmup 0.06",
        Phrase(
            "Xiong 2020, section 3 (gradients near the output are large at the start); a step a layer is assumed",
            "Xiong 2020，第 3 节（起初靠近输出处的梯度很大）；每层一步为假定",
        ),
        _no_warmup,
    ),
    Symptom(
        "memory-short",
        "a step needs about {needed} GiB and this machine has {available} → lower --micro-batch-tokens, or add --checkpointing",
        Phrase(
            "config estimate, within 10 % of the measured peak",
            "config estimate，与实测峰值相差不超过 10 %",
        ),
        _memory,
    ),
)
