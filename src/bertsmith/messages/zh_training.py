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
    "no-training-text": ("词元库的文档全部被留出", "请调小 `--held-out` 或增加文档后重新 `bertsmith prepare`"),
    "no-gpu": ("这里没有可用的 CUDA GPU", "请去掉 `--device`，或安装带 CUDA 的 PyTorch"),
    "state-of-another-network": ("训练状态属于另一种形状的网络", "请另选运行文件夹；原有内容未被改动"),
    "inexact": ("继续运行将无法得到逐位相同的结果：{differences}", "请在最初的环境中继续，或加上 --allow-inexact"),
    "vocabulary-size": (
        "配置的词表大小为 {config}，而词元库的词表为 {store}",
        "将 vocab_size 设为 {store}，或用该模型的词表重新 prepare",
    ),
    "too-few-positions": (
        "配置只有 {positions} 个位置，而 --max-seq-length 为 {length}",
        "将 --max-seq-length 设为不超过 {positions}，或换用位置更多的配置",
    ),
    "no-vocabulary-in-model": ("模型文件夹中没有词表", "请在其中放入该模型的 vocab.txt 或 tokenizer.json"),
    "length-over-positions": (
        "模型只有 {positions} 个位置，而 --max-length 为 {length}",
        "将 --max-length 设为不超过 {positions}",
    ),
}

NOTES: dict[str, str] = {
    "going-on": "从第 {step} 步之后继续",
    "precision-measured": "本机 bf16 乘法速度是 fp32 的 {gain} 倍：采用 {precision}",
    "state-unreadable": "训练状态 {path} 已损坏，跳过",
    "mlm-alone": "文本只有一篇文档，无法做下一句预测：只学习掩码语言模型（`--documents` 可说明什么是一篇文档）",
    "pretraining-plan": "每轮 {instances} 个样本，共 {epochs} 轮；{parameters} 个参数",
    "not-next-share": "{share} 的句对为“非下一句”",
    "no-held-out": "留出的文档太少：不做评估（请增加文档，或在准备文本时提高留出比例）",
    "texts-cut": "{share} 的文本超过 {length} 个词元，已被截断（--max-length）",
    "seed-done": "种子 {seed}：开发集{metric} {value}",
}
