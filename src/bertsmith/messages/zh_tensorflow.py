"""The Chinese of TensorFlow's checkpoints, keyed by code."""

_COPY = "请重新复制或下载该检查点"

ERRORS: dict[str, tuple[str, str]] = {
    "tensorflow-damaged-index": ("这不是完整的 TensorFlow 检查点索引：{reason}", _COPY),
    "tensorflow-compressed-index": (
        "索引以 Snappy 压缩，bertsmith 无法读取",
        "请用写出它的 TensorFlow 打开该检查点，再用 tf.train.Saver 重新保存",
    ),
    "tensorflow-v1-checkpoint": (
        "这是旧的 V1 格式检查点，由 TensorFlow 0.11 及更早版本写出",
        "请用 TensorFlow 转换一次：以 tf.compat.v1.train.Saver 恢复，再以 write_version=2 保存",
    ),
    "tensorflow-no-index": (
        "找不到 {index}",
        "请给出检查点各文件名共同的开头，例如 bert_model.ckpt，并把 .index 文件与数据文件放在一起",
    ),
    "tensorflow-big-endian": (
        "该检查点在大端序机器上写成",
        "请在那台机器上用 TensorFlow 打开，把权重存为 numpy 数组，再在本机写出",
    ),
    "tensorflow-false-entries": ("索引中有 {count} 个条目的大小、形状或位置自相矛盾：{names}", _COPY),
    "tensorflow-partitioned": (
        "{name} 被分区器切成了多片，bertsmith 不会把它们拼起来",
        "请在 TensorFlow 中不用分区器恢复该模型，再重新保存",
    ),
    "tensorflow-other-type": (
        "{name} 以 TensorFlow types.proto 中的 {kind} 存储，BERT 的权重没有这种类型",
        "请去掉这个变量后重新保存检查点",
    ),
    "tensorflow-wrong-checksum": ("{name} 的字节与索引给出的校验和不符", _COPY),
    "tensorflow-index-alone": ("只有索引，没有数据：{names}", "请把数据文件复制到索引旁边；权重存放在其中"),
    "tensorflow-missing-shards": (
        "检查点缺少 {count} 个数据文件：{names}",
        "请重新复制整个检查点；其所有文件名的开头相同",
    ),
    "tensorflow-truncated-shard": (
        "文件只有 {size} 字节，索引中有 {count} 个张量位于其后：{names}",
        "请重新复制或下载该文件",
    ),
    "tensorflow-damaged-graph": ("检查点中的对象图无法解读", "请用 tf.train.Checkpoint 重新保存该检查点"),
    "tensorflow-no-bert": (
        "{count} 个张量的名称都不属于 BERT 的任何部分：{names}",
        "请给出采用 google-research/bert（bert/embeddings/…）或 TensorFlow model garden 命名的检查点",
    ),
    "tensorflow-odd-shapes": (
        "有 {count} 个数组的维数在 BERT 中不会出现，或优化器槽与其变量形状不同：{names}",
        "请确认这是原版结构的 BERT",
    ),
    "tensorflow-no-name": (
        "有 {count} 个数组在 TensorFlow 检查点中没有对应的名称：{names}",
        "请去掉它们；掩码语言模型头的输出矩阵就是词表，从不单独存储",
    ),
    "tensorflow-uneven-heads": ("{names} 无法切分为 {heads} 个注意力头", "请给出该模型实际的注意力头数"),
}

NOTES: dict[str, str] = {}
