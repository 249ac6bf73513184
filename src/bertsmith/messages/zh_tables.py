"""The Chinese of the errors and notes about labelled tables, splits and tasks."""

ERRORS: dict[str, tuple[str, str]] = {
    "unknown-encoding": ("无法识别文件编码", "请另存为 UTF-8，或用 --encoding 指明编码"),
    "nul-bytes": (
        "偏移 {offset} 处有空字节（NUL）：这不是文本文件，或其编码为 UTF-16",
        "请提供 csv、tsv、jsonl 或 txt 文件（电子表格请另存为 csv），或用 --encoding utf-16-le 指明编码",
    ),
    "no-such-encoding": ("没有名为 {encoding!r} 的编码", "请用 auto、utf-8、gb18030、big5、utf-16 或 Python 认识的其他名称"),
    "undecodable-bytes": ("偏移 {offset} 处的字节不是 {encoding}", "请修正或删除该行，或用 --encoding 指明其他编码"),
    "more-faults": ("另有 {count} 处同类错误", "请先修正以上各处，再运行同一命令查看其余"),
    "cannot-read-table": ("无法读取表格：{reason}", "请检查路径；它须是有读取权限的文件"),
    "binary-table": ("该文件是电子表格、parquet 或压缩包，不是文本文件", "请另存为 csv（UTF-8），或先解压"),
    "empty-table": ("文件为空", "请提供含表头和数据行的表格"),
    "no-rows": ("表格只有表头，没有数据行", "请提供含数据行的表格"),
    "json-list": ("文件是一个 json 列表，不是 json lines", "请每行写一个对象，去掉外层的方括号和逗号"),
    "bad-json-line": ("该行不是 json 对象：{reason}", "请修正或删除该行；每行应为一个花括号对象"),
    "ragged-row": ("该行有 {found} 个字段，表头有 {expected} 个", "含分隔符的文本请加双引号，或用 --separator 选择其他分隔符"),
    "bad-quotes": (
        "从此行开始的记录中，双引号没有闭合，或出现在带引号的字段内部",
        '请补上引号；带引号的字段内部须把引号写两遍："她说""好"""',
    ),
    "no-header": ("首行像是数据而不是列名：{cell!r}", "请在首行写上列名，如“文本”和“标签”"),
    "duplicate-columns": ("有重名的列：{names}", "请给每列取不同的名字"),
    "column-twice": ("同一列被指定了两次：{names}", "请用 --text、--pair、--label 指明不同的列"),
    "unknown-column": ("没有名为 {name!r} 的列", "现有的列：{columns}{nearest}"),
    "no-second-text": (
        "任务是句对判断，但只找到一个文本列 {text!r}",
        "请用 --pair 指明第二段文本所在的列；现有的列：{columns}",
    ),
    "no-text-column": ("没有文本列", "请用 --text 指明文本所在的列；现有的列：{columns}"),
    "no-label-column": ("没有标签列", "请用 --label 指明标签所在的列；现有的列：{columns}"),
    "empty-labels": ("列 {column!r} 中有 {count} 行没有标签：第 {lines} 行", "请补上标签，或删除这些行"),
    "one-label": ("列 {column!r} 中所有行的标签都是 {label!r}", "请提供至少两个类别的样本，或用 --label 指明其他列"),
    "not-classes": ("列 {column!r} 的 {rows} 行中有 {different} 个不同的值：这不是类别", "请用 --label 指明标签所在的列"),
    "too-few-to-split": (
        "{units} 个不同的文本或分组太少，不足以划分训练集、开发集和测试集",
        "请提供更多数据、增大比例，或用 --dev 和 --test 另给表格",
    ),
    "not-a-classifier": ("该模型没有为分类微调过", "请先微调，或给出微调后模型的文件夹"),
    "unknown-labels": ("训练样本中没有的标签：{unknown}", "已有的标签：{labels}；请修正表格，或用 --label 指明其他列"),
}

NOTES: dict[str, str] = {
    "table-read": "{path}：{rows} 行，列 {columns}；{encoding}，{separator}",
    "quotes-plain": "{path}：引号不成对，按普通字符读取",
    "blank-rows": "{path}：略去 {count} 个空行",
    "header-blanks": "{path}：已去掉列名 {names} 两端的空白",
    "columns-single": "{path}：文本为列 {text!r}，标签为 {label}（可用 --text、--label 更改）",
    "columns-pair": "{path}：句对为列 {text!r} 与 {pair!r}，标签为 {label}（可用 --text、--pair、--label 更改）",
    "rare-labels": "{path}：只出现一次的标签无法既学习又测量：{labels}（第 {lines} 行）",
    "empty-texts": "{path}：列 {column!r} 有 {count} 行文本为空：第 {lines} 行；予以保留",
    "encoding-guessed": "{path}：{size} 字节中只有 {foreign} 个不是 ASCII，据此猜测编码为 {encoding}；若有乱码，请用 --encoding 指明编码",
    "split-made": "划分（{how}）：训练集 {train} 行，开发集 {dev} 行，测试集 {test} 行",
    "repeats-together": "{repeated} 行的文本重复出现，与相同文本划在同一侧",
    "texts-leak": "{later} 的 {rows} 条文本中有 {count} 条也在 {earlier} 中：其得分不能说明对新文本的表现",
}
