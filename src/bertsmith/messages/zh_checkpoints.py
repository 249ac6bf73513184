"""The Chinese of the room `checkpoints`, keyed by code."""

ERRORS: dict[str, tuple[str, str]] = {
    "missing-arrays": ("缺少 {count} 个权重数组：{names}", "重新保存完整的模型，或改正其 config.json 中的各项大小"),
    "unexpected-arrays": (
        "有 {count} 个权重数组不属于这种大小的 BERT：{names}",
        "请确认这是原版结构的 BERT，且 config.json 中的各项大小与权重相符",
    ),
    "wrong-shapes": (
        "有 {count} 个权重数组的形状与 config.json 所要求的（括号内）不同：{names}",
        "改正 config.json 中的各项大小，或换成与这些权重配套的 config.json",
    ),
    "not-floats": ("权重以 {kind} 存储", "请以 fp32、fp16 或 bf16 保存模型；量化后的权重无法用于训练"),
    "tensorflow-weights": (
        "只从 safetensors 读取权重；{names} 属于 TensorFlow 或 Flax",
        "先运行一次 `bertsmith convert {folder} NEW_FOLDER`，再给出新文件夹",
    ),
    "no-weights": ("找不到 model.safetensors", "请给出含有 config.json 和 model.safetensors 的文件夹"),
    "pickled-weights": (
        "只从 safetensors 读取权重；{names} 是 pickle 文件，读取时可能执行代码",
        "先运行一次 `bertsmith convert {place} NEW_FOLDER`（在单独的进程中打开，不执行其中的代码），再给出新文件夹",
    ),
    "missing-shards": ("索引中有 {count} 个文件不存在：{names}", "请重新复制整个文件夹"),
    "damaged-index": ("权重文件的索引无法读取", "请重新复制整个文件夹；每个数组都应对应该文件夹中的一个文件"),
    "pointer-file": ("这只是 Git LFS 的指针，并非权重本身", "在该文件夹中运行 `git lfs pull`，或直接下载该文件"),
    "damaged-weights": ("文件不完整或已损坏（{size} 字节）：{reason}", "请重新复制或下载"),
    "model-is-a-file": ("这是文件，不是模型文件夹", "请给出含有 config.json 和 model.safetensors 的文件夹"),
    "no-model-folder": ("没有这个文件夹", "请检查路径；模型是含有 config.json 的文件夹"),
    "arrays-twice": ("有 {count} 个权重数组以两个名字存储：{names}", "请用 transformers 的 save_pretrained 重新保存模型"),
    "untied-head": (
        "{copy} 与 {ours} 不同；BERT 的掩码语言模型头与词表共享权重",
        "请换用共享权重的模型，或删除以 cls.predictions 开头的数组，只用编码器",
    ),
    "vocabulary-too-large": ("词表有 {pieces} 个词片，而词嵌入表只有 {rows} 行", "请使用与该模型配套的词表"),
    "damaged-about": (
        "其中关于模型的说明无法使用：{reason}",
        "请重新复制整个文件夹；删去此文件后，该模型可按 transformers 的模型打开",
    ),
    "model-place-taken": ("该处已有其他内容：{names}", "请为模型另选文件夹；原有内容未被改动"),
    "labels-without-classes": ("{classes} 个类别对应了 {labels} 个标签", "请为 classifier.weight 的每一行给出一个标签"),
}

NOTES: dict[str, str] = {
    "head-left-out": "其他任务的输出头未载入：{path} 中的 {names}",
    "weights-not-finite": "{path} 中有 {count} 个数组含有非有限或超出 fp32 范围的数，由其算出的结果也将如此：{names} → 请改用训练发散之前的检查点，"
    "或重新复制文件",
}
