"""The Chinese of the command line: its errors and notes, and the names of stages, values and units."""

ERRORS: dict[str, tuple[str, str]] = {
    "positional-values": (
        "{verb} 收到 {count} 个未命名的值",
        "按位置最多给出以下各项，依此顺序，且不可再按名给出：{names}；其余请按名给出",
    ),
    "unknown-language": ("没有语言 {value!r}", "请用 --language en 或 --language zh"),
    "unknown-flag": ("没有选项 {flag}", "是否想用 {near}？"),
    "unknown-flag-of": ("没有选项 {flag}", "用 {help} 查看全部选项；以连字符开头的文本之前请加 --"),
    "unknown-verb": ("没有命令 {word!r}", "可用命令：{verbs}{nearest}"),
    "flag-without-value": ("选项后缺少值", "请写成 {flag} 值"),
    "flag-twice": ("该选项出现了不止一次", "只保留一个 {flag}"),
    "flag-not-a-switch": ("{value!r} 既非开也非关", "请写 {flag} 打开，或 {off} 关闭"),
    "too-many-arguments": ("不需要的参数：{words}", "用 {help} 查看用法；含空格的路径和文本请加引号"),
    "usage": ("命令无法理解：{reason}", "用 {help} 查看用法"),
    "stopped-by-hand": ("已停止", "请再次运行同一命令：{command}"),
    "out-of-memory": (
        "内存不足：{reason}",
        "减小 --micro-batch-tokens、--batch-size 或序列长度，或关闭其他程序，再运行同一命令",
    ),
    "cannot-open": ("无法打开：{reason}", "检查路径与权限"),
    "missing-package": ("缺少 Python 包 {package}", "请在装有 bertsmith 的环境中运行 `pip install {package}`"),
}

NOTES: dict[str, str] = {}

# names of stages; the rest of a longer name, such as a number, stays behind the translated beginning
STAGES: dict[str, str] = {
    "reading": "读取",
    "collecting": "收集文本",
    "vocabulary": "学习词表",
    "encoding": "编码",
    "writing": "写入",
    "instances": "生成样本",
    "measuring": "测量本机",
    "precision": "选择精度",
    "loading": "载入",
    "pretraining": "预训练",
    "fine-tuning seed": "微调，种子",
    "fine-tuning": "微调",
    "from scratch seed": "从零训练，种子",
    "from scratch": "从零训练",
    "training": "训练",
    "evaluating": "评测",
    "predicting": "预测",
    "baselines": "计算对照",
    "baseline": "对照",
    "saving": "保存",
    "report": "生成报告",
    "hashing": "计算哈希",
    "check files": "检查文件",
    "count words": "统计词语",
    "learn pieces": "学习词片",
    "encode": "编码",
    "documentation": "读取文档",
    "probing": "探查网络",
    "answering": "预测",
    "tf-idf": "TF-IDF",
    "reading weights": "读取权重",
    "writing weights": "写入权重",
    "comparing": "比较",
}

# names of the values beside a stage, short ones; those of other metrics stand in `names`
VALUES: dict[str, str] = {
    "loss": "损失",
    "mlm_loss": "掩码损失",
    "nsp_loss": "句对损失",
    "mlm_accuracy": "掩码准确率",
    "nsp_accuracy": "句对准确率",
    "learning_rate": "学习率",
    "gradient_norm": "梯度范数",
    "tokens_per_second": "词元/秒",
    "tokens": "词元",
    "sentences": "句",
    "documents": "文档",
    "lines": "行",
    "epoch": "轮次",
    "step": "步",
    "file": "文件",
    "words": "词",
}

UNITS: dict[str, str] = {
    "batches": "批",
    "bytes": "字节",
    "characters": "字符",
    "documents": "文档",
    "examples": "样本",
    "files": "文件",
    "fits": "拟合",
    "heads": "头",
    "instances": "样本",
    "layers": "层",
    "lines": "行",
    "models": "模型",
    "numbers": "数",
    "passes": "遍",
    "pieces": "词片",
    "rows": "行",
    "seeds": "种子",
    "segments": "句段",
    "sentences": "句",
    "sequences": "序列",
    "shards": "分片",
    "steps": "步",
    "texts": "文本",
    "tokens": "词元",
    "words": "词",
}

# measure words between a number and a unit; other units need none
MEASURES: dict[str, str] = {
    "documents": "篇",
    "examples": "个",
    "files": "个",
    "fits": "次",
    "instances": "个",
    "models": "个",
    "pieces": "个",
    "seeds": "个",
    "sentences": "个",
    "sequences": "个",
    "shards": "个",
    "texts": "段",
    "tokens": "个",
    "words": "个",
}

# sources of a field that are words, not citations
SOURCES: dict[str, str] = {"assumed": "假定"}
