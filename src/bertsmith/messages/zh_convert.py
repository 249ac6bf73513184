"""The Chinese of converting checkpoints, keyed by code."""

ERRORS: dict[str, tuple[str, str]] = {
    "no-h5py": ("Keras 的文件由 h5py 读写，而它没有安装", "pip install 'bertsmith[keras]'"),
    "damaged-h5": ("文件被截断、已损坏，或不是 HDF5：{reason}", "重新复制或下载该文件"),
    "h5-link": (
        "{place} 是链接，或大于文件中实际存有的内容；权重文件两者都不需要",
        "请从模型的来源处取文件；不要在别处打开这一个",
    ),
    "arrays-differ": ("{name} 存了两份且数值不同", "用写出它的程序重新保存模型"),
    "damaged-keras": (
        "文件被截断、已损坏，或不是 Keras 3 的模型：{reason}",
        "重新复制或下载，或用 model.save(…) 重新保存",
    ),
    "packed-path": ("其中的 {name} 会写到文件之外", "不要在别处打开此文件；请从模型的来源处取"),
    "packed-bomb": ("其中的 {name} 会从 {packed} 字节解压到 {size} 字节", "不要在别处打开此文件；请从模型的来源处取"),
    "pickle-refused": (
        "这个 pickle 不只含张量，其中任何内容都未被执行：{reason}",
        "请使用该模型的 safetensors 文件；需要代码才能读入的 pickle 不会在此打开",
    ),
    "pickle-unreadable": ("无法读取这个 pickle：{reason}", "重新复制或下载；早于 PyTorch 1.0 的格式需用写出它的 PyTorch"),
    "no-tensors": ("这个 pickle 不含带名字的张量", "请给出 torch.save(model.state_dict(), …) 写出的文件"),
    "hub-without-safetensors": (
        "其中没有 safetensors",
        "自行下载其权重并运行 `bertsmith convert FOLDER NEW`，或选用带有 safetensors 的模型",
    ),
    "no-such-model-anywhere": (
        "没有这样的文件夹，缓存中没有这个模型，{endpoint} 也没有给出（{reason}）",
        "检查名字或路径；或把 HF_ENDPOINT 设为能访问的模型库；或从有该模型的机器把文件夹复制到这里并给出其路径",
    ),
    "no-checkpoint": ("没有已知格式的权重", "请给出含有 {kinds} 的文件夹或文件"),
    "no-such-checkpoint": ("没有这个文件或文件夹", "检查路径"),
    "pickle-not-written": (
        "bertsmith 只读 pickle、不写，因为打开它就等于运行它",
        "请用 --to {kinds}；PyTorch 与 transformers 能打开 `huggingface` 的 safetensors",
    ),
    "slots-do-not-fit": (
        "优化器的 {count} 个均值与其权重的形状不符，或没有对应的权重：{names}",
        "删去该文件即可不带优化器继续，或重新复制整个文件夹",
    ),
    "no-such-kind": ("没有 {kind} 格式的检查点", "去掉 --kind，或用 {kinds} 之一"),
    "target-is-source": ("结果会占用来源所在的位置", "为结果另选文件夹"),
    "peer-failed": ("{peer} 无法运行它：{reason}", "请自行在那里运行以了解详情；不加 --verify 时文件夹照常写出"),
    "conversion-differs": (
        "{run} 在 {layer} 处给出不同的数：相差 {largest}，该处数值最大为 {scale}",
        "不要使用这一结果；请检查配置是否属于这些权重，以及 --gelu",
    ),
}

NOTES: dict[str, str] = {
    "model-from-cache": "{name} 取自缓存（{reason}）",
    "asking-hub": "正在向 {endpoint} 请求 {name}",
    "model-of-hub": "{name}，修订版 {revision}",
    "arrays-left-over": "{path} 中有 {count} 个数组不属于 BERT，已略去：{names}",
}
