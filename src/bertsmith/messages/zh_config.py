"""The Chinese of the room `config`: its forms, its checks and the verbs that show them."""

ERRORS: dict[str, tuple[str, str]] = {
    "no-config": ("找不到可读的 config.json 或 bert_config.json", "请给出该文件，或含有它的文件夹"),
    "config-not-a-file": ("这是管道、套接字或设备，而配置要从文件读取", "请将其写入文件，再给出该文件"),
    "config-not-utf-8": ("该文件的编码是 {encoding}", "请另存为 UTF-8"),
    "check-needs-a-file": (
        "{name} 是模型的名字，而检查只针对文件",
        "请将其写入文件再检查：{command}",
    ),
    "config-not-json": ("这不是一个 JSON 对象：{reason}", "请从模型来源处重新获取 config.json"),
    "other-network": (
        "{key} 为 {value!r}：这是 {network}，不是 BERT（{reason}）",
        "请给出原版结构的 BERT：使用绝对位置、自己的词嵌入表和 WordPiece 词表的编码器",
    ),
    "config-without-size": ("缺少 {field}", "请从模型来源处获取完整的 config.json"),
    "misspelled-field": ("没有名为 {key!r} 的字段，而 {near!r} 缺失", "把 {key!r} 改名为 {near!r}，或删除它"),
    "vocabulary-not-told": ("{form} 的配置不写词表大小", "请给出 --vocab-size，即模型词表文件的行数"),
    "unknown-activation": ("hidden_act 为 {value!r}", "可选值：{choices}{nearest}"),
    "unknown-gelu": ("没有名为 {gelu!r} 的 gelu", "可选值：{choices}{nearest}"),
    "gelu-not-used": ("hidden_act 为 {said!r}，没有可取 {asked} 形式的 gelu", "去掉 --gelu，或改 hidden_act"),
    "unknown-form": ("没有名为 {name!r} 的格式", "可选值：{choices}{nearest}"),
    "config-place-taken": ("那里已有别的内容", "请另选 --output，或先将其移走；原有内容未被改动"),
    "wish-missed": ("没有合理的大小比 {found} 个参数更接近所要的 {wished} 个：{why}", "{otherwise}"),
    "bad-params": ("--params 为 {text!r}", "请给出参数总数，如 25M、4.4M 或 110000000"),
    "vocabulary-over-rows": (
        "词表 {path} 有 {pieces} 个词片，而 vocab_size 为 {rows}：有 {over} 个编号没有对应的行",
        "将 vocab_size 设为 {pieces}，或换用与此配置配套的词表",
    ),
    "vocabulary-under-rows": (
        "词表 {path} 有 {pieces} 个词片，而 vocab_size 为 {rows}：它属于别的模型",
        "将 vocab_size 设为 {pieces}，或换用与此配置配套的词表",
    ),
}

NOTES: dict[str, str] = {
    "repeated-key": "{file} 中 {keys} 不止一次出现，各以最后一个为准 → 请删去其余的",
    "gelu-assumed": "{file} 只写了 gelu，未说明形式；视为 {gelu}：{why} → 可用 --gelu erf 或 --gelu tanh 更改，"
    "并用 `bertsmith config convert` 写明",
    "google-defaults": "{file} 省略了谷歌代码有默认值的项：{taken} → 请按权重的实际情况写明",
    "not-honoured": "此格式：{what}",
    "odd-width": "{field} 为 {value}，不是 {tile} 的倍数：矩阵乘法较慢 → 请用 {below} 或 {above}",
    "odd-head-width": "每个头宽 {width}：快速注意力核要求宽度为 {lane} 的倍数，且在 {least} 到 {most} 之间，已发布的 BERT 为 64 → 请用 {way}",
    "huge-network": "{layers} 层、宽 {width} 共 {parameters} 个参数：已发布的文本编码器最多 {deepest} 层、{largest} 个参数 → "
    "请检查 num_hidden_layers、hidden_size 与 intermediate_size 是否笔误；large 为 24 层、宽 1024",
    "odd-vocabulary": "vocab_size 为 {size}，不是 {lane} 的倍数：与词表相乘的运算会慢一些 → 新模型请用 {above}，多出的行没有坏处；"
    "已有权重则不要改",
    "odd-feed-forward": "intermediate_size 为 {value}，不是 hidden_size 的四倍，而已发布的 BERT 都是 → 若非有意，请用 {wanted}",
    "large-dropout": "{rates}：丢弃的不少于保留的，几乎学不到东西 → 请用 0.1，预训练时用 0",
    "odd-initializer": "initializer_range 为 {value}，远离已发布的 BERT 所用的 0.02：训练开局不利 → 请用 0.02，或 {low} 到 {high} 之间的值",
    "odd-segments": "type_vocab_size 为 {value}：{why} → 请用 2，除非已有权重的表不是这样",
    "odd-epsilon": "layer_norm_eps 为 {value}，而已发布的 BERT 都是 1e-12；RoBERTa 为 1e-5 → 请用 1e-12，除非已有权重用的是别的值",
    "many-positions": "max_position_embeddings 为 {value}：注意力的代价随长度平方增长，且每个位置都要有这么长的文本才能学到 → "
    "请按文本的实际长度设置",
    "spare-rows": "vocab_size {rows} 比 {path} 的 {pieces} 个词片多 {spare}：这些行不会用到 → 若是有意取整，不必改",
    "padding-elsewhere": "pad_token_id 为 {id}，而 [PAD] 在 {path} 中的编号是 {padding} → 请将 pad_token_id 设为 {padding}，"
    "除非已有权重就是这样训练的",
}
