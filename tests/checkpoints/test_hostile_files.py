"""Files that were made to do harm, or that say what is not so: each is refused by one clear error."""

import json
import os
import signal
import struct

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from tiny_checkpoint import VOCABULARY, checkpoint

from bertsmith.checkpoints.folder import read_model_folder, write_model_folder
from bertsmith.checkpoints.names import Part
from bertsmith.checkpoints.sources import read_source, sources_of
from bertsmith.errors import BertsmithError

NAME = "bert.pooler.dense.bias"


@pytest.fixture
def folder(tmp_path):
    write_model_folder(tmp_path / "model", checkpoint(), language="en", card={})
    return tmp_path / "model"


def lying(folder, change):
    """The same weights behind another header."""
    file = folder / "model.safetensors"
    data = file.read_bytes()
    (size,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + size])
    text = change(header)
    text = text if isinstance(text, bytes) else json.dumps(header).encode()
    file.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + size :])


def set_(name, key, value):
    def change(header):
        header[name][key] = value

    return change


LIES = {
    "a shape larger than its bytes": set_(NAME, "shape", [10**9]),
    "a shape with a negative size": set_(NAME, "shape", [-12]),
    "bytes behind the end of the file": set_(NAME, "data_offsets", [10**12, 10**12 + 48]),
    "bytes in front of the data": set_(NAME, "data_offsets", [-48, 0]),
    "bytes of another array": set_(NAME, "data_offsets", [0, 48]),
    "an end in front of its beginning": set_(NAME, "data_offsets", [48, 0]),
    "an unknown type": set_(NAME, "dtype", "F7"),
    "an entry that is no entry": lambda header: header.__setitem__(NAME, 7),
    "a header that is no object": lambda header: b"[1, 2, 3]",
    "a header that is no JSON": lambda header: b'{"a": ',
    "a header with a name twice": lambda header: (
        json.dumps(header).replace('"bert.pooler.dense.bias"', '"cls.predictions.bias"').encode()
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_safetensors_header_that_lies_is_refused(folder, lie):
    lying(folder, LIES[lie])
    with pytest.raises(BertsmithError) as caught:
        read_model_folder(folder)
    assert caught.value.exit_code == 4
    assert str(folder) in str(caught.value)


@pytest.mark.parametrize("size", [2**63 - 1, 2**40, 101 * 2**20])
def test_a_header_longer_than_the_file_is_refused_before_anything_is_allocated(folder, size):
    file = folder / "model.safetensors"
    file.write_bytes(struct.pack("<Q", size) + file.read_bytes()[8:])
    with pytest.raises(BertsmithError) as caught:
        read_model_folder(folder)
    assert caught.value.code == "damaged-weights"


@pytest.mark.parametrize("name", ["../secret.safetensors", "/etc/secret.safetensors", "a/../../secret.safetensors"])
def test_an_index_that_climbs_out_of_the_folder_is_refused(folder, name):
    (folder / "model.safetensors").rename(folder.parent / "secret.safetensors")
    index = {"weight_map": dict.fromkeys(checkpoint().arrays, name)}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(BertsmithError) as caught:
        read_model_folder(folder)
    assert caught.value.code == "damaged-index"


def test_code_that_a_config_names_is_never_fetched_or_run(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"auto_map": {"AutoModel": "evil.Model"}}))
    (folder / "evil.py").write_text("raise SystemExit('executed')")
    found = read_model_folder(folder)
    assert np.array_equal(found.arrays[NAME], checkpoint().arrays[NAME])


def test_a_folder_as_modelscope_leaves_it_opens(folder):
    config = json.loads((folder / "config.json").read_text())
    for key in ("architectures", "dtype", "use_cache", "tie_word_embeddings", "position_embedding_type"):
        config.pop(key, None)
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "configuration.json").write_text('{"framework": "pytorch", "task": "fill-mask"}')
    for name in ("bertsmith.json", "tokenizer.json", "tokenizer_config.json", "README.md"):
        (folder / name).unlink()
    (folder / ".msc").write_bytes(b"\0\1")
    for found in (read_model_folder(folder), read_source(sources_of(folder)[0])):
        assert found.arrays.keys() == checkpoint().arrays.keys()
        assert found.config == checkpoint().config


def refusal(folder):
    """The error of both readers, which is the same."""
    with pytest.raises(BertsmithError) as caught:
        read_model_folder(folder)
    with pytest.raises(BertsmithError) as again:
        read_source(sources_of(folder)[0])
    assert again.value.code == caught.value.code
    return caught.value


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('{"labels": 5}', '"labels"'),
        ('{"labels": null}', '"labels"'),
        ('{"labels": [1, null]}', '"labels"'),
        ('{"labels": {"0": "a"}}', '"labels"'),
        ('{"labels": ["one"]}', "1 labels for 0 classes"),
        ('{"text": []}', '"text"'),
        ('{"text": {"lowercase": "yes"}}', '"text"'),
        ('{"text": {"lowercase": true, "strip_accents": "a"}}', '"text"'),
        ('{"task": ["classify"]}', '"task"'),
        ('{"max_length": "long"}', '"max_length"'),
        ('{"origin": {"run": "\\ud800"}}', '"origin"'),
        ('{"\\ud800": 1}', '"\\ud800"'),
        ('{"deep": ' + "[" * 5000 + "]" * 5000 + "}", "nested too deep"),
        ("[1]", "no JSON object"),
        ("\x00", "no JSON object"),
    ],
)
def test_damaged_facts_are_refused_by_their_key(folder, content, told):
    (folder / "bertsmith.json").write_text(content)
    error = refusal(folder)
    assert error.code == "damaged-about"
    assert told in str(error)
    error.text("zh").encode()


@pytest.mark.parametrize("architectures", [5, [5], [["BertModel"]], {"a": 1}, None])
def test_architectures_of_another_type_are_passed_over(folder, architectures):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"architectures": architectures}))
    assert read_model_folder(folder).arrays.keys() == checkpoint().arrays.keys()


@pytest.mark.parametrize(
    ("weight", "bias", "told"),
    [
        ((0, 12), (0,), "classifier.weight 0×12 (1×12)"),
        ((2, 12), (), "classifier.bias () (2)"),
        ((), (2,), "classifier.weight () (2×12)"),
        ((), (), "classifier.bias () (2)"),
        ((3, 12), (2,), "classifier.bias 2 (3)"),
    ],
)
def test_a_classifier_of_impossible_shape_is_told_by_its_shape(tmp_path, weight, bias, told):
    made = checkpoint(Part.ENCODER, Part.POOLER, Part.CLASSIFIER)
    write_model_folder(tmp_path / "m", made, language="en", card={})
    head = {"classifier.weight": np.zeros(weight, np.float32), "classifier.bias": np.zeros(bias, np.float32)}
    save_file({**made.arrays, **head}, tmp_path / "m" / "model.safetensors")
    error = refusal(tmp_path / "m")
    assert error.code == "wrong-shapes"
    assert told in str(error)


DEEP = '{"more": ' + "[" * 100_000


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("tokenizer.json", DEEP, "not-wordpiece"),
        ("tokenizer_config.json", DEEP, "tokenizer-settings"),
        ("tokenizer_config.json", "[1]", "tokenizer-settings"),
        ("tokenizer_config.json", '{"do_lower_case": "yes"}', "tokenizer-settings"),
        ("tokenizer_config.json", '{"strip_accents": [1]}', "tokenizer-settings"),
    ],
)
def test_a_damaged_tokenizer_is_refused(folder, name, content, code):
    (folder / name).write_text(content)
    error = refusal(folder)
    assert error.code == code
    assert name in str(error)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"normalizer": {"type": "BertNormalizer", "strip_accents": "a"}}, "tokenizer-settings"),
        ({"normalizer": [1]}, "not-wordpiece"),
        ({"model": {"vocab": {**VOCABULARY.ids, "\ud800": VOCABULARY.size}}}, "not-wordpiece"),
        ({"model": {"vocab": {"the": "0", "cat": []}}}, "not-wordpiece"),
    ],
)
def test_a_tokenizer_with_values_of_another_kind_is_refused(folder, change, code):
    values = json.loads((folder / "tokenizer.json").read_text())
    (folder / "tokenizer.json").write_text(json.dumps(values | change))
    assert refusal(folder).code == code


@pytest.fixture
def never_hangs():
    def hangs(*_):
        raise TimeoutError("it waits for a pipe")

    before = signal.signal(signal.SIGALRM, hangs)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("never_hangs")
@pytest.mark.parametrize(
    "name", ["vocab.txt", "tokenizer.json", "tokenizer_config.json", "bertsmith.json", "checkpoint", "optimizer.safetensors"]
)
def test_a_pipe_in_the_place_of_a_file_is_no_file(folder, name):
    (folder / name).unlink(missing_ok=True)
    os.mkfifo(folder / name)
    for found in (read_model_folder(folder), read_source(sources_of(folder)[0])):
        assert found.arrays.keys() == checkpoint().arrays.keys()


@pytest.mark.usefixtures("never_hangs")
def test_a_pipe_is_no_checkpoint(folder):
    (folder / "model.safetensors").unlink()
    os.mkfifo(folder / "model.safetensors")
    for path, code in ((folder, "no-checkpoint"), (folder / "model.safetensors", "no-checkpoint")):
        with pytest.raises(BertsmithError) as caught:
            sources_of(path)
        assert caught.value.code == code
    with pytest.raises(BertsmithError) as caught:
        read_model_folder(folder)
    assert caught.value.code == "no-weights"


def test_copies_of_a_tied_array_that_are_no_numbers_do_not_differ(folder):
    arrays = load_file(folder / "model.safetensors")
    table = arrays["bert.embeddings.word_embeddings.weight"]
    table[0, 0] = np.nan
    save_file({**arrays, "cls.predictions.decoder.weight": table.copy()}, folder / "model.safetensors")
    assert np.isnan(read_model_folder(folder).arrays["bert.embeddings.word_embeddings.weight"][0, 0])
