"""The Chinese of the jobs."""

ERRORS: dict[str, tuple[str, str]] = {
    "no-such-instance": ("本轮只有 {count} 个样本", "请给出小于 {count} 的 --first"),
    "labels-without-corpus": ("--labels 需要同时给出用于预训练的 --corpus", "请用 --corpus 给出文本文件夹，或去掉 --labels"),
    "vocabulary-place-taken": ("那里已有别的东西：{names}", "请用 --output 另选文件夹；原有内容未被改动"),
    "no-group": ("--split group 需要分组列", "请用 --group 指定"),
    "no-such-source": ("没有这个文件", "请检查路径，或直接给出文本"),
    "second-missing": ("该模型判断的是句对", "请同时给出第二段文本"),
    "second-given": ("该模型判断的是单段文本", "请去掉第二段文本"),
}

NOTES: dict[str, str] = {
    "quickstart-plan": "本机训练速度约 {speed} 词元/秒：采用 {plan} 方案，预训练 {steps} 步",
    "no-labels": "没有给出带标签的表格（`--labels`）：不做微调",
    "texts-found": "{documents} 篇文档，{sentences} 个句子，去掉 {repeated} 个重复行",
    "repeats-dropped": "去掉了 {count} 个重复句子（{share}）",
    "labels-contradict": "{path}：{count} 行的文本在表中另有不同的标签（第 {lines} 行）；没有模型能全部答对",
    "none-held-out": "{documents} 篇文档按比例 {share} 没有留出任何一篇：预训练时无法评测（--held-out）",
    "repeats-kept": "{count} 个句子（{share}）与之前的重复，已保留",
}
