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
    "too-few-unused": (
        "词表只有 {slots} 个未用空位，而新词片有 {add} 个",
        "请用 --add 少加一些，或去掉 --into-unused，让新词片排在原词片之后",
    ),
    "nothing-to-add": ("没有新词片能在此文本上有所节省：原词表已足够", "请保留原词表，或给出要扩充的那类文本"),
    "needs-flag": ("{one} 只有与 {other} 同用才有效", "请同时给出 {other}，或去掉 {one}"),
    "no-corpus": ("没有这个文件或文件夹", "请给出文本文件、jsonl 文件，或装有它们的文件夹"),
    "no-text-files": (
        "文件夹中没有文本文件",
        "请给出含 .txt、.md、.jsonl 或 .parquet 文件（可压缩）的文件夹，或直接指定一个文件（后缀不限）",
    ),
    "empty-corpus": ("文件中没有文本", "请给出含有文字的文本文件（.txt）或 json 行文件（.jsonl）"),
    "binary-file": (
        "偏移 {offset} 处是 NUL 字节：这不是文本文件",
        "请把它移出语料；若是压缩包请先解压；或用 --encoding 指定编码（如 utf-16-le）",
    ),
    "damaged-archive": ("压缩文件已损坏或不完整：{reason}", "请重新复制或下载；若其他程序能解压，请先解压"),
    "no-zstd": ("未安装解压 .zst 文件的软件包", "请运行 `pip install 'bertsmith[zstd]'`，或先解压该文件"),
    "no-parquet": ("未安装读取 parquet 文件的软件包", "请运行 `pip install 'bertsmith[parquet]'`，或把该文件移出语料"),
    "parquet-column": ("没有文本列 {column!r}", "请用 --text-field 指定存放文本的列；该文件有：{columns}"),
    "parquet-damaged": ("这不是完整的 parquet 文件：{reason}", "请重新复制或下载"),
    "no-segmenter": ("未安装中文分词器 {name}", "请运行 `pip install 'bertsmith[chinese]'`，或用 --words none 不切分词"),
    "words-need-characters": (
        "该词表不把汉字单独分开，其词片已跨越词的边界",
        "请用 --words none，或改用设有 tokenize_chinese_chars 的词表",
    ),
    "no-excluded-texts": ("这里没有评测文本", "请为 --exclude 给出 csv、tsv、jsonl、parquet 或文本文件，或装有它们的文件夹"),
    "worker-died": (
        "一个工作进程提前结束，退出码 {exit_code}",
        "若因内存不足（退出码 -9），请减小 --workers；再次运行同一命令即可从已写部分继续",
    ),
    "json-line-long": ("这一行超过 {longest} 个字符", "请把文本分成多行"),
    "json-line": ("这不是有效的 JSON：{reason}", "请修正这一行：每行须是一个完整的对象"),
    "json-field": ("字段 {field!r} 中没有文本", "请用 --text-field 指定存放文本的字段；这一行有：{fields}"),
    "store-version": ("这个词元库是第 {found} 版，本程序读取第 {wanted} 版", "请重新运行 `bertsmith prepare`"),
    "store-manifest": ("词元库的清单缺少 {missing}", "请从原处重新复制词元库，或重新运行 `bertsmith prepare`"),
    "store-truncated": ("文件有 {found} 字节，应为 {size} 字节", "请从原处重新复制词元库，或重新运行 `bertsmith prepare`"),
    "not-a-store": ("这里没有词元库", "请用 `bertsmith prepare` 制作；若曾中断，再次运行同一命令即可继续"),
    "place-taken": ("这里已有别的东西（不是词元库），继续会将其替换", "请用 --output 另选文件夹，或先将其移走"),
    "shares-over-one": (
        "replaced_share {replaced} 与 kept_share {kept} 之和超过 1",
        "请调低其中一个；1 的剩余部分换成随机词片",
    ),
    "no-word-starts": (
        "文本的 {share} 是汉字，而词元库不知道其中哪些是词首",
        "请用 `pip install 'bertsmith[chinese]'` 安装分词器并重新 `bertsmith prepare … --words jieba`，或改用 `--mask-unit token`",
    ),
    "no-two-sentences": (
        "没有一篇文档有两个句子，因此没有句序可判断",
        "请设置 `--objective mlm`，或用 `--documents` 说明什么是一篇文档并重新 prepare",
    ),
    "no-sentences": ("文档中没有句子", "请给出含有文字的文本，或换用适合该文字的词表"),
}

NOTES: dict[str, str] = {
    "fewer-pieces": "文本只能产生 {found} 个词片，少于要求的 {size} 个；词表完整，只是较小",
    "fewer-new-pieces": "有所节省的新词片只有 {found} 个，少于要求的 {add} 个",
    "characters-chosen": "{chosen} 个字符有自己的词片；{share:.3%} 的词由它们写成，其余为未知词",
    "files-skipped": "{count} 个文件从名称看既非文本也非 json 行，已略过（{kinds}）",
    "corpus-encoding": "{count} 个文件的编码是 {encoding}（{example} 等）",
    "corpus-encoding-guessed": "{count} 个文件（{example} 等）的 {size} 字节中只有 {foreign} 个不是 ASCII，据此猜测编码为 {encoding}；"
    "若有乱码，请用 --encoding 指明编码",
    "corpus-json-lines": "{count} 个 json 行文件（{example} 等）：每行是一篇文档",
    "corpus-shape": "{count} 个文件（{example} 等）：documents = {documents}，lines = {lines}",
    "corpus-parquet": "{count} 个 parquet 文件（{example} 等）：每行是一篇文档",
    "corpus-extracted": "{count} 个 WikiExtractor 文件（{example} 等）：<doc …> 到 </doc> 是一篇文档，lines = {lines}",
    "texts-excluded": "{count} 个句子与评测文本有共同内容，已去掉",
    "duplicates-dropped": "{count} 篇文档（{share}）与前文重复，已去掉",
    "duplicates-kept": "{count} 篇文档（{share}）与前文重复，予以保留（可用 --duplicates drop 去掉）",
    "words-unknown": "文本以中文为主，但未安装分词器：掩码将把每个汉字当作一个词；"
    "要按整词掩码，请运行 `pip install 'bertsmith[chinese]'` 后重新 prepare",
    "documents-cut": "超过 {longest} 个字符的文档在句末被切开 {cut} 次；每一段算作一篇文档",
    "store-goes-on": "继续被中断的写入：前 {documents} 篇文档已编码",
    "many-unknown": "{share:.1%} 的词元是词表无法写出的词或字；请改从这批文本学习词表",
}
