"""What pretraining sees of a token store: settings shared by `pretrain`, `inspect` and `config estimate`."""

from dataclasses import dataclass
from enum import StrEnum

from bertsmith.config.fields import documented
from bertsmith.errors import ConfigError


class Objective(StrEnum):
    """What is learned beside masked LM: next sentences, the order of sentences, or nothing."""

    MLM_NSP = "mlm+nsp"
    MLM_SOP = "mlm+sop"
    MLM = "mlm"


class Procedure(StrEnum):
    """How pairs are made: as the paper says, anew in every epoch, or as Google's code does, in copies that repeat."""

    PAPER = "paper"
    GOOGLE = "google-2018"


class Unit(StrEnum):
    """What is hidden as a whole."""

    TOKEN = "token"
    WORD = "word"
    NGRAM = "ngram"
    SPAN = "span"


AUTO = "auto"
OBJECTIVES = (AUTO, *(objective.value for objective in Objective))
MASKED, REPLACED, KEPT = 0.15, 0.8, 0.1  # Devlin 2019, section 3.1
SHORT_SHARE, COPIES = 0.1, 10  # short_seq_prob and dupe_factor of create_pretraining_data.py
_PREDICTIONS, _PREDICTIONS_LENGTH = 20, 128  # its max_predictions_per_seq, and the max_seq_length that it is for


@dataclass(frozen=True, kw_only=True)
class InstanceSettings:
    """Which instances a token store gives: which pairs there are, and which of their tokens are hidden."""

    objective: str = documented(
        AUTO,
        "what is learned: masked LM with next sentences, with the order of sentences, or alone from full-length stretches of a document; "
        "auto takes next sentences where there are two documents or more",
        "训练目标：掩码语言模型加下一句、加句序，或单独（取自一篇文档的满长片段）；文档不少于两篇时 auto 取下一句",
        choices=OBJECTIVES,
        source="Devlin 2019, section 3.1; Lan 2020, section 3.1; Liu 2019, section 4.2 (DOC-SENTENCES)",
    )
    pairs: str = documented(
        Procedure.PAPER.value,
        "how pairs are made: paper, new pairs and masks in every epoch; google-2018, Google's procedure to the letter, in static copies that repeat",
        "句对的生成方式：paper 每轮重新生成句对与掩码；google-2018 严格按谷歌的流程，生成若干份固定副本循环使用",
        choices=tuple(procedure.value for procedure in Procedure),
        source="google-research/bert, create_pretraining_data.py",
    )
    copies: int = documented(
        COPIES,
        "copies of the text with pairs and masks of their own, for --pairs google-2018",
        "文本的副本数，各有自己的句对与掩码，用于 --pairs google-2018",
        low=1,
        source="google-research/bert, create_pretraining_data.py, dupe_factor",
    )
    mask_unit: str = documented(
        Unit.TOKEN.value,
        "what is hidden as a whole: a token, a word, runs of one to four words, or spans of geometric length",
        "以什么为单位遮盖：词元、整词、一至四个词的 n-gram，或长度呈几何分布的片段",
        choices=tuple(unit.value for unit in Unit),
        source="Devlin 2019; google-research/bert (2019); Cui 2020, section 3; Joshi 2020, section 3.1",
    )
    masked_share: float = documented(
        MASKED,
        "share of a sequence's tokens to predict",
        "序列中要预测的词元比例",
        low=0.01,
        high=0.9,
        source="Devlin 2019, section 3.1",
    )
    replaced_share: float = documented(
        REPLACED,
        "share of the predicted tokens that become [MASK]",
        "被预测词元中替换为 [MASK] 的比例",
        low=0.0,
        high=1.0,
        source="Devlin 2019, section 3.1",
    )
    kept_share: float = documented(
        KEPT,
        "share of the predicted tokens that stay as they are; the rest become random pieces",
        "被预测词元中保持原样的比例；其余换成随机词片",
        low=0.0,
        high=1.0,
        source="Devlin 2019, section 3.1",
    )
    max_predictions: int | None = documented(
        None,
        "most tokens of a sequence to predict; empty: no limit, and with --pairs google-2018 20 for every 128 tokens of the length",
        "每个序列最多预测的词元数；空则不限，但 --pairs google-2018 时按长度每 128 个词元 20 个",
        low=1,
        unit="tokens",
        source="google-research/bert, create_pretraining_data.py, max_predictions_per_seq",
    )
    max_seq_length: int = documented(
        128,
        "longest sequence, special tokens included",
        "最长序列，含特殊词元",
        low=8,
        high=65536,
        unit="tokens",
        source="Devlin 2019, appendix A.2",
    )
    short_share: float = documented(
        SHORT_SHARE,
        "share of the documents whose pairs have a random, shorter target length",
        "句对采用随机较短目标长度的文档比例",
        low=0.0,
        high=1.0,
        source="google-research/bert, create_pretraining_data.py",
    )
    seed: int = documented(0, "seed of every random choice", "一切随机选择的种子", low=0)

    @property
    def most_predicted(self) -> int | None:
        """Most tokens of a sequence to predict, or None."""
        if self.max_predictions is None and self.pairs == Procedure.GOOGLE:
            return -(-_PREDICTIONS * self.max_seq_length // _PREDICTIONS_LENGTH)
        return self.max_predictions

    def shares_fault(self) -> ConfigError | None:
        """The fault of shares that are more than all together, for `check`."""
        shares = (self.replaced_share, self.kept_share)
        if not all(isinstance(share, int | float) for share in shares) or sum(shares) <= 1:
            return None
        return ConfigError(
            "shares-over-one",
            "replaced_share {replaced} and kept_share {kept} are more than 1 together",
            do="lower one of them; what is left of 1 becomes random pieces",
            replaced=self.replaced_share,
            kept=self.kept_share,
        )
