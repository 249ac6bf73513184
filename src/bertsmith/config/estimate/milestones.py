"""How many tokens a BERT was trained on when it became useful for something: a few points with their source, for orientation.

Text, sizes and recipes differ, and so a run of one's own may need several times less or more.
"""

from dataclasses import dataclass

from bertsmith.messages import Phrase


@dataclass(frozen=True)
class Milestone:
    """A point on the way.

    Args:
        name: what is reached.
        tokens: how many tokens were trained on until then, as the source counts them.
        source: where the number comes from.
    """

    name: Phrase
    tokens: float
    source: Phrase


MILESTONES = (
    Milestone(
        Phrase("context is used: the plateau at the unigram is left", "开始利用上下文：离开一元频率平台期"),
        1.5e6,  # 800 steps of 16 pairs of 128 tokens: held-out loss 5.43 against a unigram of 7.06
        Phrase(
            "mini on an encyclopedia, measured (docs/en/measured/encyclopedia.md)",
            "mini 于百科文本，实测（docs/zh/measured/encyclopedia.md）",
        ),
    ),
    Milestone(
        Phrase("three hidden pieces in ten are guessed by a mini", "mini 能猜中三成被遮盖的词片"),
        5.8e6,
        Phrase("the same run: accuracy .306, not yet of use for sentiment", "同一次运行：准确率 .306，对情感分类尚无帮助"),
    ),
    Milestone(
        Phrase("Google's BERT", "谷歌 BERT"),
        256 * 512 * 1_000_000,  # counted as in the appendix; nine tenths of the steps had sequences of 128 tokens
        Phrase(
            "Devlin 2019, appendix A.2: 1,000,000 steps of 256 sequences of 512",
            "Devlin 2019 附录 A.2：100 万步，每步 256 条 512 词元的序列",
        ),
    ),
    Milestone(
        Phrase("RoBERTa: the same network trained much longer", "RoBERTa：同样的网络，训练时间长得多"),
        8192 * 512 * 500_000,
        Phrase(
            "Liu 2019, section 5: 500,000 steps of 8,192 sequences of 512",
            "Liu 2019 第 5 节：50 万步，每步 8,192 条 512 词元的序列",
        ),
    ),
)
