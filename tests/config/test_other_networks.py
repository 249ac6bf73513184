"""Networks that look like a BERT in their files are recognised and refused with the reason."""

import pytest

from bertsmith.config.formats import config_from_values
from bertsmith.errors import ConfigError

BERT = {
    "model_type": "bert",
    "vocab_size": 100,
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 40,
}
GOOGLE = {key: value for key, value in BERT.items() if key != "model_type"}
UER = {"emb_size": 24, "hidden_size": 24, "feedforward_size": 40, "heads_num": 3, "layers_num": 2}
CASES = [
    (BERT | {"model_type": "albert", "embedding_size": 12, "num_hidden_groups": 1}, "ALBERT", "share weights"),
    (GOOGLE | {"embedding_size": 12}, "ALBERT", "narrower"),
    (GOOGLE | {"embedding_size": 24, "num_hidden_groups": 1}, "ALBERT", "share weights"),
    ({"model_type": "distilbert", "dim": 24, "n_layers": 2, "n_heads": 3}, "DistilBERT", "neither segments nor a pooler"),
    ({"vocab_size": 9, "dim": 24, "n_layers": 2, "n_heads": 3}, "DistilBERT", "pooler"),
    (BERT | {"model_type": "roberta"}, "RoBERTa", "positions begin behind"),
    (BERT | {"model_type": "xlm-roberta"}, "XLM-R", "no WordPiece"),
    (BERT | {"model_type": "camembert"}, "CamemBERT", "no WordPiece"),
    (BERT | {"model_type": "electra"}, "ELECTRA", "one by one"),
    (BERT | {"model_type": "deberta-v2"}, "DeBERTa v2", "distances"),
    (BERT | {"model_type": "mobilebert"}, "MobileBERT", "bottlenecks"),
    (GOOGLE | {"true_hidden_size": 12}, "MobileBERT", "bottlenecks"),
    (BERT | {"model_type": "modernbert"}, "ModernBERT", "rotary"),
    (BERT | {"model_type": "nezha"}, "NeZha", "distances"),
    (GOOGLE | {"use_relative_position": True}, "NeZha", "distances"),
    (BERT | {"model_type": "ernie", "use_task_id": True}, "ERNIE", "embedding of the task"),
    (BERT | {"position_embedding_type": "relative_key"}, "BERT with relative positions", "distances"),
    (BERT | {"position_embedding_type": "relative_key_query"}, "BERT with relative positions", "distances"),
    (BERT | {"is_decoder": True}, "decoder", "before it"),
    (BERT | {"add_cross_attention": True}, "BERT with cross-attention", "second sequence"),
    (GOOGLE | {"ln_type": "preln"}, "pre-norm BERT", "in front of"),
    (GOOGLE | {"architectures": ["RobertaForMaskedLM"]}, "RoBERTa", "no WordPiece"),
    (GOOGLE | {"architectures": ["XLMRobertaModel"]}, "XLM-R", "no WordPiece"),
    (GOOGLE | {"architectures": ["AlbertModel"]}, "ALBERT", "share weights"),
    (BERT | {"model_type": "wav2vec2"}, "wav2vec2", "the file says so"),
    ({"class_name": "RobertaBackbone", "config": {}}, "RoBERTa", "no WordPiece"),
    ({"class_name": "DistilBertBackbone", "config": {}}, "DistilBERT", "pooler"),
    ({"class_name": "Functional", "config": {}}, "Functional", "the file says so"),
    (UER | {"mask": "causal"}, "decoder", "before it"),
    (UER | {"encoder": "lstm"}, "another encoder of UER-py", "the file says so"),
    (UER | {"parameter_sharing": True}, "ALBERT", "share weights"),
    (UER | {"layernorm_positioning": "pre"}, "pre-norm BERT", "in front of"),
    (UER | {"embedding": ["word", "sinusoidalpos"]}, "another embedding of UER-py", "segments"),
    (UER | {"embedding": "word_pos"}, "another embedding of UER-py", "segments"),
]


@pytest.mark.parametrize(
    ("values", "network", "reason"), CASES, ids=[f"{case[1]}-{number}" for number, case in enumerate(CASES)]
)
def test_another_network_is_refused_by_its_name_with_the_reason(values, network, reason):
    with pytest.raises(ConfigError) as caught:
        config_from_values(values, where="c.json", vocab_size=100)
    error = caught.value
    assert (error.code, error.values["network"], error.where) == ("other-network", network, "c.json")
    assert reason in str(error)
    assert "不是 BERT" in error.text("zh")


def test_everything_that_makes_it_another_network_is_told_at_once():
    with pytest.raises(ConfigError) as caught:
        config_from_values(BERT | {"is_decoder": True, "position_embedding_type": "relative_key"}, where="c.json")
    assert {fault.values["key"] for fault in (caught.value, *caught.value.also)} == {"is_decoder", "position_embedding_type"}


@pytest.mark.parametrize(
    "more",
    [
        {"position_embedding_type": None, "is_decoder": False, "add_cross_attention": None, "pad_token_id": 1},
        {"architectures": ["BertForMaskedLM"], "model_type": None},
        {"embedding_size": 24},
        {"architectures": []},
        {"architectures": None},
    ],
)
def test_a_bert_that_mentions_such_things_is_a_bert(more):
    assert config_from_values(BERT | more, where="c.json").config.hidden_size == 24
