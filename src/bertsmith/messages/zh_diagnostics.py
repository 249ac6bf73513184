"""The Chinese of what is found about a pretraining run, keyed by code."""

ERRORS: dict[str, tuple[str, str]] = {}
NOTES: dict[str, str] = {
    "expected-cost": "一步约需 {needed} GiB（本机有 {available}）；按词频猜测的掩码语言模型损失为 {entropy}",
    "forecast": "每秒 {speed} 个词元：余下的步约需 {minutes} 分钟，评估不计在内",
    "unknown-pieces": "{share} 的词元是 [UNK]：这个词表写不出此文本 → 用此文本学一个词表（`bertsmith vocab`），或换用该语言的词表",
    "many-pieces": "平均每词 {found} 个词片，而与文本相符的 {pieces} 词片词表约需 {usual} 个 → 用此文本学一个词表",
    "repeated-text": "{sentences} 的句子与 {documents} 的文档在前文已出现过：网络会把它们背下来 → 加上 --repeated-lines drop --duplicates drop 重新准备",
    "sentences-unrelated": "相邻句子的共有词（{together}）不多于不同文档的句子（{apart}，{pairs} 对）：文本被打乱，无法学习下一句预测 → "
    "请给出句序完整的文档，或用 --objective mlm",
    "sentences-out-of-order": "相邻句子的共有词（{together}）不多于同一文档中的其他句子（{apart}，{pairs} 对）：各文档内的句序被打乱 → 请按原有顺序重新准备文本",
    "lone-sentences": "{share} 的文档只有一句，没有可预测的下一句 → 用 --documents 说明什么是一篇文档，或用 --objective mlm",
    "masks-lost": "被预测的词元中有 {found} 显示 [MASK]，应为 {wanted}，另有 {shown} 直接显示答案 → 用 `bertsmith inspect STORE` 查看；遮盖不正常",
    "pairs-one-label": "{share} 的句对标签为 1：总答较多的一类就与真实标签一样好 → 用 --objective mlm，或给出更长的文档",
    "labels-turned": "标为“下一句”的句对的共有词（{together}）少于标为“非下一句”的（{apart}）：标签颠倒了 → 0 表示下一句，1 表示非下一句",
    "labels-at-random": "标为“下一句”的句对的共有词（{together}）与标为“非下一句”的（{apart}）一样多，而文本的句子是连贯的 → 标签与句对不符",
    "rate-high": "学习率 {rate} 超过这一宽度的网络所能承受的（{limit}）→ 调低 --learning-rate",
    "no-warmup": "{layers} 层而预热 {steps} 步：归一化在每块之后的深层网络不预热就难以起步 → --warmup 0.06",
    "memory-short": "一步约需 {needed} GiB，而本机有 {available} → 调低 --micro-batch-tokens，或加上 --checkpointing",
    "on-the-shelf": "掩码语言模型损失停在 {loss}，接近按词频猜测的 {entropy}：每个 BERT 都会在这样的平台上停一阵；结束它靠更多的更新或更高的学习率，而不是更多词元",
    "in-the-band": "{tokens} 百万词元之后留出损失为 {loss}，是按词频猜测的 {share}；我们自己同等规模的运行为 {expected}",
    "above-the-band": "{tokens} 百万词元之后留出损失为 {loss}，是按词频猜测的 {share}，而我们自己同等规模的运行为 {expected}：短时训练中，更多的更新（更小的 --batch-size）或更高的 "
    "--learning-rate 最有效",
    "worse-than-frequencies": "预热之后掩码语言模型损失为 {loss} 且不再下降，而按词频猜测为 {entropy} → 调低 --learning-rate，或加长 --warmup",
    "answers-seen": "被遮盖的词片猜中了 {accuracy}：这个阶段的网络做不到，它必定看得到答案 → 用 `bertsmith inspect STORE` 检查遮盖",
    "standing-still": "编码器的 {count} 个数组没有梯度，因而没有学习：{names} → 检查哪些被冻结了",
    "below-majority": "句对头答对 {accuracy}，而总答较多的一类可达 {majority} → 检查句对的标签",
    "loss-spike": "损失从 {usual} 跳到 {loss} → 若再次出现，调低 --learning-rate，或用 `bertsmith inspect STORE` 查看这一步的文本",
    "gradient-spike": "梯度范数从 {usual} 跳到 {norm} → 若损失随之跳升，调低 --learning-rate",
    "slower": "每秒 {now} 个词元，开始时为 {first}：有别的程序在占用本机 → 关掉它，或查看处理器是否降频",
    "by-heart": "留出文本上的损失从 {best} 升到 {loss}，而训练损失在下降：文本正被背下来 → 就此停止，或给出更多文本",
}
