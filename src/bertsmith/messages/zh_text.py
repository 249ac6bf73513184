"""Chinese of the errors and notes of the rooms `text` and `data` that read raw text."""

ERRORS: dict[str, tuple[str, str]] = {
    "no-vocabulary": (
        "这里没有词表",
        "请给出 vocab.txt、tokenizer.json，或含有它们的文件夹；`bertsmith vocab` 可从原始文本学习词表",
    ),
    "vocabulary-not-text": (
        "偏移 {offset} 处的字节不是 UTF-8 文本",
        "请给出 vocab.txt 或 tokenizer.json；权重文件和 pickle 不含词表",
    ),
    "empty-vocabulary": ("词表是空的", "请给出一行一个词片的文件，或 tokenizer.json"),
    "vocabulary-holes": ("{size} 个词片的编号不是 0 到 {last}", "请改用同一模型的 vocab.txt"),
    "not-wordpiece": (
        "这不是 WordPiece 词表 {kind}",
        "请给出 BERT 的 vocab.txt 或 tokenizer.json；BPE 与 unigram 词表属于别的模型",
    ),
    "tokenizer-settings": (
        "其中关于大小写与重音的内容无法读取：{reason}",
        "请从模型的来源处取该文件；没有它时仅由词表决定",
    ),
    "special-piece-missing": ("{size} 个词片中缺少 {missing}", "请给出 BERT 的词表；它含有 {all_special}"),
    "piece-twice": (
        "词片 {piece!r} 同时出现在第 {line} 行和第 {other} 行",
        "请删去其中一个；其后词片的编号会随之移动，因此已训练的模型须配自己的词表",
    ),
    "no-words": ("文本中没有可学习的词", "请给出任一语言的文本；这些文件只含空白、符号或超过 {longest} 个字符的词"),
    "too-little-text": ("文本太少，无法学习词表：只有 {words} 个不同的词、{pieces} 个词片", "请提供更多文本；至少几页才有用"),
    "no-corpus": ("没有这个文件或文件夹", "请给出文本文件、jsonl 文件，或装有它们的文件夹"),
    "no-text-files": ("文件夹中没有文本文件", "请给出含 .txt、.md 或 .jsonl 文件的文件夹，或直接指定一个文件（后缀不限）"),
    "empty-corpus": ("文件中没有文本", "请给出含有文字的文本文件（.txt）或 json 行文件（.jsonl）"),
    "binary-file": (
        "偏移 {offset} 处是 NUL 字节：这不是文本文件",
        "请把它移出语料；若是压缩包请先解压；或用 --encoding 指定编码（如 utf-16-le）",
    ),
    "json-line": ("这不是有效的 JSON：{reason}", "请修正这一行：每行须是一个完整的对象"),
    "json-field": ("字段 {field!r} 中没有文本", "请用 --text-field 指定存放文本的字段；这一行有：{fields}"),
    "store-version": ("这个词元库是第 {found} 版，本程序读取第 {wanted} 版", "请重新运行 `bertsmith prepare`"),
    "store-manifest": ("词元库的清单缺少 {missing}", "请从原处重新复制词元库，或重新运行 `bertsmith prepare`"),
    "store-truncated": ("文件有 {found} 字节，应为 {size} 字节", "请从原处重新复制词元库，或重新运行 `bertsmith prepare`"),
    "not-a-store": ("这里没有词元库", "请用 `bertsmith prepare` 制作；若曾中断，再次运行同一命令即可继续"),
    "place-taken": ("这里已有别的东西（不是词元库），继续会将其替换", "请用 --output 另选文件夹，或先将其移走"),
    "no-sentences": ("文档中没有句子", "请给出含有文字的文本，或换用适合该文字的词表"),
}

NOTES: dict[str, str] = {
    "fewer-pieces": "文本只能产生 {found} 个词片，少于要求的 {size} 个；词表完整，只是较小",
    "characters-chosen": "{chosen} 个字符有自己的词片；{share:.3%} 的词由它们写成，其余为未知词",
    "files-skipped": "{count} 个文件从名称看既非文本也非 json 行，已略过（{kinds}）",
    "corpus-encoding": "{count} 个文件的编码是 {encoding}（{example} 等）",
    "corpus-encoding-guessed": "{count} 个文件（{example} 等）的 {size} 字节中只有 {foreign} 个不是 ASCII，据此猜测编码为 {encoding}；"
    "若有乱码，请用 --encoding 指明编码",
    "corpus-json-lines": "{count} 个 json 行文件（{example} 等）：每行是一篇文档",
    "corpus-shape": "{count} 个文件（{example} 等）：documents = {documents}，lines = {lines}",
    "documents-cut": "超过 {longest} 个字符的文档在句末被切开 {cut} 次；每一段算作一篇文档",
    "store-goes-on": "继续被中断的写入：前 {documents} 篇文档已编码",
    "many-unknown": "{share:.1%} 的词元是词表无法写出的词或字；请改从这批文本学习词表",
}
