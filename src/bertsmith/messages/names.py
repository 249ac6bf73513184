"""The names of metrics, splits and baselines in both languages: for the command line, notes, reports and model cards."""

from bertsmith.messages import Phrase

METRICS = {
    "mlm_loss": Phrase("masked LM loss (nats)", "掩码语言模型损失（nat）"),
    "mlm_accuracy": Phrase("masked LM accuracy", "掩码语言模型准确率"),
    "nsp_accuracy": Phrase("next-sentence accuracy", "下一句准确率"),
    "sop_accuracy": Phrase("sentence-order accuracy", "句序准确率"),
    "bits_per_character": Phrase("bits per hidden character", "每个被遮字符的比特数"),
    "accuracy": Phrase("accuracy", "准确率"),
    "macro_f1": Phrase("macro F1", "宏平均 F1"),
    "mcc": Phrase("Matthews correlation", "马修斯相关系数"),
}
SPLITS = {
    "held-out": Phrase("held out", "留出集"),
    "train": Phrase("train", "训练集"),
    "dev": Phrase("dev", "开发集"),
    "test": Phrase("test", "测试集"),
    "general": Phrase("general text", "通用文本"),
    "given": Phrase("the given table", "所给表格"),
}
BASELINES = {
    "unigram": Phrase("unigram", "一元频率"),
    "majority": Phrase("majority", "多数类"),
    "tf-idf": Phrase("TF-IDF", "TF-IDF"),
    "before": Phrase("before the first step", "第一步之前"),
    "scratch": Phrase("without pretraining", "不预训练"),
}
PARTS = {
    "encoder": Phrase("encoder", "编码器"),
    "pooler": Phrase("pooler", "池化层"),
    "masked-LM head": Phrase("masked-LM head", "掩码语言模型头"),
    "next-sentence head": Phrase("next-sentence head", "下一句头"),
    "classification head": Phrase("classification head", "分类头"),
    "question-answering head": Phrase("question-answering head", "问答头"),
}

# where a model comes from, as bertsmith.json records it
ORIGINS = {
    "job": Phrase("job", "任务"),
    "store": Phrase("token store", "词元库"),
    "hub": Phrase("hub", "模型库"),
    "revision": Phrase("revision", "修订版"),
    "kind": Phrase("form", "格式"),
    "converted_from": Phrase("converted from", "转换自"),
    "data": Phrase("data", "数据"),
    "model": Phrase("model", "模型"),
}


def named(names: dict[str, Phrase], key: str) -> Phrase:
    """The name of a key; a key without one is its own name."""
    return names.get(key, Phrase(key, key))
