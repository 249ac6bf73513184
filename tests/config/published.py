"""The published configs that `$BERTSMITH_DATA` holds, and what each is."""

import os
from pathlib import Path

import pytest

DATA = os.environ.get("BERTSMITH_DATA", "")
FOLDER = Path(DATA) / "zh" / "configs"
NEEDED = pytest.mark.skipif(not DATA, reason="needs the published configs that $BERTSMITH_DATA names")

# file: form, gelu, how it is known, vocabulary that must be told, a mark of the network (layers, width, heads, vocabulary)
BERTS = {
    "bert_base_cased.hf.json": ("huggingface", "gelu_erf", "stated", None, (12, 768, 12, 28996)),
    "bert_base_chinese.google.json": ("google", "gelu_erf", "rule", None, (12, 768, 12, 21128)),
    "bert_base_chinese.hf.json": ("huggingface", "gelu_erf", "stated", None, (12, 768, 12, 21128)),
    "bert_base_japanese_manba036.google.json": ("google", "gelu_tanh", "rule", None, (12, 768, 12, 32000)),
    "bert_base_multilingual_uncased_sentiment.hf.json": ("huggingface", "gelu_erf", "stated", None, (12, 768, 12, 105879)),
    "bert_base_uncased.google.json": ("google", "gelu_erf", "rule", None, (12, 768, 12, 30522)),
    "bert_large_uncased.google.json": ("google", "gelu_erf", "rule", None, (24, 1024, 16, 30522)),
    "bert_tiny.hf.json": ("huggingface", "gelu_erf", "stated", None, (2, 128, 2, 30522)),
    "biobert_v1_1.hf.json": ("huggingface", "gelu_erf", "stated", None, (12, 768, 12, 28996)),
    "chinese_roberta_wwm_ext.google.json": ("google", "gelu_erf", "rule", None, (12, 768, 12, 21128)),
    "chinese_roberta_wwm_ext.hf.json": ("huggingface", "gelu_erf", "stated", None, (12, 768, 12, 21128)),
    "chinese_roberta_wwm_large_ext.hf.json": ("google", "gelu_erf", "rule", None, (24, 1024, 16, 21128)),
    "kpfbert.hf.json": ("huggingface", "gelu_erf", "stated", None, (12, 768, 12, 36440)),
    "nvidia_bert_4l_288d_distilled.json": ("google", "gelu_tanh", "rule", None, (4, 288, 12, 30528)),
    "nvidia_bert_6l_768d_distilled.json": ("google", "gelu_tanh", "rule", None, (6, 768, 12, 30528)),
    "sebert_large.google.json": ("google", "gelu_erf", "rule", None, (24, 1024, 16, 30522)),
    "uer_bert_base.json": ("uer", "gelu_erf", "stated", 21128, (12, 768, 12, 21128)),
    "uer_bert_large.json": ("uer", "gelu_erf", "stated", 21128, (24, 1024, 16, 21128)),
    "uer_bert_medium.json": ("uer", "gelu_erf", "stated", 21128, (8, 512, 8, 21128)),
    "uer_bert_mini.json": ("uer", "gelu_erf", "stated", 21128, (4, 256, 4, 21128)),
    "uer_bert_small.json": ("uer", "gelu_erf", "stated", 21128, (4, 512, 8, 21128)),
    "uer_bert_tiny.json": ("uer", "gelu_erf", "stated", 21128, (2, 128, 2, 21128)),
    "uer_bert_xlarge.json": ("uer", "gelu_erf", "stated", 21128, (36, 1536, 24, 21128)),
}
OTHERS = {
    "albert_zh_base.json": "ALBERT",
    "albert_zh_base_google_fast.json": "ALBERT",
    "albert_zh_large.json": "ALBERT",
    "albert_zh_tiny.json": "ALBERT",
    "albert_zh_tiny_google.json": "ALBERT",
    "albert_zh_xlarge.json": "ALBERT",
    "albert_zh_xxlarge.json": "ALBERT",
    "distiluse_base_multilingual_cased_v1.hf.json": "DistilBERT",
}
