"""The Chinese of instances, models and training."""

ERRORS: dict[str, tuple[str, str]] = {
    "one-document": (
        "不相邻的句子必须来自另一篇文档，而这里只有一篇",
        "请设置 `--objective mlm`，或用 `--documents` 说明什么是一篇文档并重新 prepare",
    ),
    "diverged": (
        "第 {step} 步的梯度已不是数",
        "请调低 --learning-rate 或延长 --warmup，并换一个运行文件夹；最近的训练状态已保留",
    ),
    "interrupted": ("已在第 {step} 步（共 {steps} 步）之后停止，训练状态已保存", "再次运行同一命令即可继续"),
    "one-process-only": ("启动了 {count} 个进程，而此任务只在一个进程中运行", "请不用 torchrun 启动"),
    "process-lost": (
        "{count} 个进程中有一个无声无息地消失了；最近的训练状态完好",
        "请检查内存是否不足；再次运行同一命令即可继续",
    ),
    "process-failed": (
        "{count} 个进程中的第 {rank} 个已结束：{reason}",
        "这可能是 bertsmith 的错误；用一个进程运行可得到更多信息",
    ),
    "fewer-sequences-than-processes": (
        "每步只有 {sequences} 个序列，而进程有 {processes} 个",
        "请增大 --batch-size，或减少进程",
    ),
    "no-compiler": ("--compile 需要 {compiler}，而这里没有", "请安装，或去掉 --compile"),
    "compiled-dropout": (
        "--compile 只用于没有丢弃的网络，而此网络的隐藏值丢弃率为 {share}",
        "请用 --recipe lean，或将 hidden_dropout_prob 设为 0，或去掉 --compile",
    ),
    "excluding-flags": ("--{one} 与 --{other} 不能同时给出", "请去掉其中一个"),
    "phases-with-budget": (
        "限时运行只有一个阶段，因为结束之前不知道步数",
        "请用 --steps 代替 --budget；`bertsmith config estimate` 可估计能做多少步",
    ),
    "no-time": ("{field} 为 {value!r}，不是一段时间", "请写作 2h、30m 或 90s"),
    "processes-without-cluster": (
        "{field} 为 {value}，但没有可供启动的 --cluster",
        "请加上 --cluster local；或用 `torchrun --nproc-per-node {value} -m bertsmith` 启动命令",
    ),
    "no-phases": (
        "{field} 为 {value!r}，未说明各阶段",
        "请写出各阶段的长度（不少于 {least} 个词元）及其步数占比，如 128:0.9,512:0.1；占比之和为 1",
    ),
    "no-training-text": ("词元库的文档全部被留出", "请调小 `--held-out` 或增加文档后重新 `bertsmith prepare`"),
    "unknown-tracker": ("{field} 中的 {unknown} 不是可用的跟踪器", "请用 {choices} 中的一个或多个，以逗号分隔{nearest}"),
    "no-gpu": ("这里没有可用的 CUDA GPU", "请去掉 `--device`，或安装带 CUDA 的 PyTorch"),
    "state-of-another-network": ("训练状态属于另一种形状的网络", "请另选运行文件夹；原有内容未被改动"),
    "inexact": ("继续运行将无法得到逐位相同的结果：{differences}", "请在最初的环境中继续，或加上 --allow-inexact"),
    "vocabulary-size": (
        "配置的词表大小为 {config}，而词元库的词表为 {store}",
        "将 vocab_size 设为 {store}，或用该模型的词表重新 prepare",
    ),
    "another-vocabulary": (
        "词元库所用的词表与模型的不同：第 {number} 个词片在模型中是 {ours}，在词元库中是 {theirs}",
        "请用 --vocabulary {model}，或用 `bertsmith vocab --extend` 得到的扩充词表，重新 `bertsmith prepare`",
    ),
    "general-vocabulary": (
        "通用文本所用的词表与训练文本的不同：{theirs} 个词片，{ours}",
        "请用 --vocabulary {folder} 重新 `bertsmith prepare` 通用文本；词表若经扩充，两者都须用扩充后的",
    ),
    "general-too-short": ("通用文本给不出可评测的样本", "请用 --general 给出更长的文本"),
    "too-few-positions": (
        "配置只有 {positions} 个位置，而最长序列有 {length} 个词元",
        "使用不超过 {positions} 个词元的序列（--max-seq-length、--phases），或换用位置更多的配置",
    ),
    "no-vocabulary-in-model": ("模型文件夹中没有词表", "请在其中放入该模型的 vocab.txt 或 tokenizer.json"),
    "length-over-positions": (
        "模型只有 {positions} 个位置，而 --max-length 为 {length}",
        "将 --max-length 设为不超过 {positions}",
    ),
}

NOTES: dict[str, str] = {
    "weights-kept": "从 {model} 的权重继续；优化器从头开始",
    "vocabulary-grown": "新增 {count} 个词片：{mean} 行取其原词片各行的均值，{other} 行（原词表写不出）取全体均值；词向量表有 {rows} 行，原为 {before} 行",
    "prepared-otherwise": "文本按 {theirs} 处理，而模型的词表要求 {ours}：词片会出现在模型不熟悉的位置",
    "before-the-first-step": "第一步之前，通用文本上的掩码语言模型损失为 {loss}（每字符 {bits} 比特）",
    "general-text-forgotten": "通用文本上的损失从 {before} 升到 {after}，增幅超过 {bound}：模型在遗忘原有知识 → 请调低 --learning-rate 或 --steps，或在语料中混入通用文本",
    "going-on": "从第 {step} 步之后继续",
    "precision-measured": "本机 bf16 乘法速度是 fp32 的 {gain} 倍：采用 {precision}",
    "state-unreadable": "训练状态 {path} 已损坏，跳过",
    "mlm-alone": "文本只有一篇文档，无法做下一句预测：只学习掩码语言模型（`--documents` 可说明什么是一篇文档）",
    "pretraining-plan": "每轮 {instances} 个样本，共 {epochs} 轮；{parameters} 个参数",
    "pretraining-budget": "每轮 {instances} 个样本，在 {budget} 内能做多少步就做多少步；{parameters} 个参数",
    "budget-plan": "时间够做 {steps} 步；已完成 {done} 步",
    "not-next-share": "{share} 的句对为“非下一句”",
    "no-held-out": "留出的文档太少：不做评估（请增加文档，或在准备文本时提高留出比例）",
    "texts-cut": "{share} 的文本超过 {length} 个词元，已被截断（--max-length）",
    "seed-done": "种子 {seed}：开发集{metric} {value}",
}
