"""The Chinese of the ground floor: config, files, records."""

ERRORS: dict[str, tuple[str, str]] = {
    "head-width": (
        "hidden_size {size} 不是 num_attention_heads {heads} 的整数倍",
        "将 hidden_size 改为 {below} 或 {above}，或将 num_attention_heads 改为 {fitting}",
    ),
    "more-heads-than-width": (
        "num_attention_heads {heads} 大于各头所分的 hidden_size {size}",
        "将 num_attention_heads 改为 {fitting}，或将 hidden_size 改为 {wide}",
    ),
    "padding-outside": ("pad_token_id {pad} 超出大小为 {size} 的词表", "请给出小于 {size} 的编号"),
    "missing-field": ("缺少 {field}", "请给出：{meaning}"),
    "unknown-key": ("没有名为 {key!r} 的字段", "是否想用 {near!r}？"),
    "unknown-field": ("没有名为 {key!r} 的字段", "可用字段：{fields}"),
    "wrong-type": ("{field} 为 {value!r}", "{field} 应为{wanted}"),
    "unknown-choice": ("{field} 为 {value!r}", "可选值：{choices}{nearest}"),
    "out-of-bounds": ("{field} 为 {value}", "请给出{range}的值"),
    "unknown-preset": (
        "没有名为 {name!r} 的预设、文件或文件夹",
        "请给出预设名（{names}）、config.json 或模型文件夹{nearest}",
    ),
    "no-such-model": ("没有这个文件或文件夹", "请检查路径；模型可以是预设名（{names}）、config.json 或模型文件夹"),
    "being-written": ("另一个进程正在写入", "请等它完成，或另选位置"),
    "disk-full": ("写入时磁盘空间不足", "请腾出空间后重新运行同一命令；原有内容完好无损"),
    "cannot-write": ("无法写入：{reason}", "请选择有写入权限的位置"),
    "damaged-log": ("该行不是运行日志的内容", "请删去该行，或在另一个文件夹中重新运行；原有内容未被改动"),
    "no-tracker": ("--tracker 所需的包未安装：{names}", "请运行 `pip install 'bertsmith[{extras}]'`，或去掉 --tracker"),
    "damaged-run": ("运行记录无法读取", "请另选文件夹"),
    "different-run": ("该文件夹中是另一次运行：{differences}", "请另选文件夹，或使用其中那次运行的设置；原有内容未被改动"),
    "run-is-a-file": ("这是一个文件，而运行需要文件夹", "请另选位置；原有内容未被改动"),
    "not-a-run": ("文件夹非空，且其中没有运行记录", "请另选文件夹；原有内容未被改动"),
}

NOTES: dict[str, str] = {
    "tracker-failed": "跟踪器 {name} 出错，本次运行不再写入其中；运行继续：{reason}",
}
