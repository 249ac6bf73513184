"""The Chinese of `config estimate`, keyed by code."""

ERRORS: dict[str, tuple[str, str]] = {
    "unknown-machine": (
        "{field} 为 {machine!r}，而没有它的规格数据",
        "去掉该项，或用 here 表示本机，或用以下 GPU 之一：{gpus}{nearest}",
    ),
    "lengths-need-vocabulary": (
        "{data} 中是文本，没有词表就无法得知其长度",
        "用 --vocabulary 给出 vocab.txt、tokenizer.json 或含有它们的文件夹，或给出自带词表的模型文件夹",
    ),
    "no-such-data": (
        "没有这个文件或文件夹",
        "请用 --data 给出词元库（即 `bertsmith prepare` 生成的文件夹），或 csv、tsv、jsonl、txt 文件",
    ),
    "length-beyond-positions": (
        "该配置有 {positions} 个位置，而 --max-seq-length 为 {length}",
        "请用不超过 {positions} 的 --max-seq-length，或位置更多的配置",
    ),
}

NOTES: dict[str, str] = {}
