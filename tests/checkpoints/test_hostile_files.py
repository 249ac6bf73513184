"""Files that were made to do harm, or that say what is not so: each is refused by one clear error."""

import json
import struct

import numpy as np
import pytest
from tiny_checkpoint import checkpoint

from bertsmith.checkpoints.folder import read_model_folder, write_model_folder
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
