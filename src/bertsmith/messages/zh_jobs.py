"""The Chinese of the jobs."""

ERRORS: dict[str, tuple[str, str]] = {
    "no-such-instance": ("本轮只有 {count} 个样本", "请给出小于 {count} 的 --first"),
    "no-group": ("--split group 需要分组列", "请用 --group 指定"),
    "no-such-source": ("没有这个文件", "请检查路径，或直接给出文本"),
    "second-missing": ("该模型判断的是句对", "请同时给出第二段文本"),
    "second-given": ("该模型判断的是单段文本", "请去掉第二段文本"),
}

NOTES: dict[str, str] = {
    "repeats-dropped": "去掉了 {count} 个重复句子（{share}）",
    "repeats-kept": "{count} 个句子（{share}）与之前的重复，已保留",
}
