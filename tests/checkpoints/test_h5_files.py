"""Files of Keras: transformers' tf_model.h5, keras-hub's presets and whole .keras files, without Keras."""

import errno
import io
import sys
import zipfile

import h5py
import numpy as np
import pytest
from tiny_checkpoint import CONFIG, PRETRAINING, checkpoint

from bertsmith.checkpoints import h5
from bertsmith.checkpoints.h5 import read_h5, write_h5
from bertsmith.checkpoints.keras import WEIGHTS, read_keras, read_keras_config, write_keras
from bertsmith.checkpoints.names import Part
from bertsmith.checkpoints.transformers_h5 import FILE, our_name, read_transformers_h5, write_transformers_h5
from bertsmith.errors import BertsmithError

ENCODED = (Part.ENCODER, Part.POOLER)


def refusal(read, path):
    with pytest.raises(BertsmithError) as caught:
        read(path)
    assert str(path) in str(caught.value) or caught.value.where is None
    return caught.value


def same(one, other):
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("parts", [PRETRAINING, ENCODED, (*ENCODED, Part.CLASSIFIER), (Part.ENCODER, Part.QA)])
def test_what_is_written_to_tf_model_h5_is_read_again_bit_for_bit(tmp_path, parts):
    arrays = checkpoint(*parts).arrays
    write_transformers_h5(tmp_path / FILE, arrays)
    read, left_over = read_transformers_h5(tmp_path / FILE)
    assert same(read, arrays)
    assert left_over == ()


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (
            "bert/tf_bert_model/bert/encoder/layer_._3/attention/self/query/kernel:0",
            "bert.encoder.layer.3.attention.self.query.weight",
        ),
        ("bert/tf_bert_model_1/bert/embeddings/word_embeddings/weight:0", "bert.embeddings.word_embeddings.weight"),
        (
            "bert/tf_bert_model/bert/embeddings/token_type_embeddings/embeddings:0",
            "bert.embeddings.token_type_embeddings.weight",
        ),
        ("mlm___cls/tf_bert_for_masked_lm/mlm___cls/predictions/bias:0", "cls.predictions.bias"),
        ("nsp___cls/x/nsp___cls/seq_relationship/kernel:0", "cls.seq_relationship.weight"),
        ("top/optimizer/iteration:0", None),
        ("bert/x/bert", None),
    ],
)
def test_names_of_tf_model_h5_are_known(path, name):
    assert our_name(path) == name


def test_two_copies_of_what_is_no_number_do_not_differ(tmp_path):
    arrays = checkpoint().arrays
    arrays["bert.embeddings.word_embeddings.weight"][0, 0] = np.nan
    write_transformers_h5(tmp_path / FILE, arrays)
    assert np.isnan(read_transformers_h5(tmp_path / FILE)[0]["bert.embeddings.word_embeddings.weight"][0, 0])


def test_two_copies_that_differ_are_refused(tmp_path):
    write_transformers_h5(tmp_path / FILE, checkpoint().arrays)
    with h5py.File(tmp_path / FILE, "a") as file:
        file["mlm___cls/tf_bert_for_pre_training/bert/embeddings/word_embeddings/weight:0"][0, 0] = 9.0
    assert refusal(read_transformers_h5, tmp_path / FILE).code == "arrays-differ"


@pytest.mark.parametrize("parts", [ENCODED, (*ENCODED, Part.MLM), (*ENCODED, Part.CLASSIFIER)])
def test_what_is_written_for_keras_is_read_again_bit_for_bit(tmp_path, parts):
    arrays = checkpoint(*parts).arrays
    assert write_keras(tmp_path, arrays, CONFIG.num_attention_heads) == ()
    read, left_over = read_keras(tmp_path)
    assert same(read, arrays)
    assert left_over == ()


def test_heads_that_keras_has_no_place_for_are_named(tmp_path):
    beside = write_keras(tmp_path, checkpoint().arrays, CONFIG.num_attention_heads)
    assert set(beside) == {"cls.seq_relationship.weight", "cls.seq_relationship.bias"}


def packed(tmp_path, parts, **more):
    write_keras(tmp_path, checkpoint(*parts).arrays, CONFIG.num_attention_heads)
    with zipfile.ZipFile(tmp_path / "model.keras", "w", zipfile.ZIP_DEFLATED) as file:
        file.write(tmp_path / WEIGHTS, WEIGHTS)
        for name, content in more.items():
            file.writestr(name.replace("_", "/"), content)
    return tmp_path / "model.keras"


def test_a_whole_keras_file_is_read(tmp_path):
    read, _ = read_keras(packed(tmp_path, ENCODED))
    assert same(read, checkpoint(*ENCODED).arrays)


def test_a_path_that_climbs_out_of_a_packed_file_is_refused(tmp_path):
    assert refusal(read_keras, packed(tmp_path, ENCODED, **{".._outside": b"x"})).code == "packed-path"
    assert not (tmp_path.parent / "outside").exists()


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path):
    assert refusal(read_keras, packed(tmp_path, ENCODED, bomb=b"\0" * 2**26)).code == "packed-bomb"


def test_a_file_that_is_no_zip_is_refused(tmp_path):
    (tmp_path / "model.keras").write_bytes(b"PK\x03\x04 and then nothing")
    assert refusal(read_keras, tmp_path / "model.keras").code == "damaged-keras"


@pytest.mark.parametrize("content", [b"", b"no HDF5 at all", b"\x89HDF\r\n\x1a\n" + b"\xff" * 200])
def test_a_damaged_h5_file_is_refused(tmp_path, content):
    (tmp_path / "x.h5").write_bytes(content)
    assert refusal(read_h5, tmp_path / "x.h5").code == "damaged-h5"


def test_a_truncated_h5_file_is_refused(tmp_path):
    file = tmp_path / FILE
    write_transformers_h5(file, checkpoint().arrays)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    assert refusal(read_h5, file).code == "damaged-h5"


@pytest.mark.parametrize("kind", ["external link", "soft link", "external data", "virtual data"])
def test_an_h5_file_that_points_elsewhere_is_refused(tmp_path, kind):
    (tmp_path / "secret").write_bytes(b"\0" * 16)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        if kind == "external link":
            file["weights"] = h5py.ExternalLink("other.h5", "/weights")
        elif kind == "soft link":
            file["weights"] = h5py.SoftLink("/elsewhere")
        elif kind == "external data":
            file.create_dataset("weights", (4,), "f4", external=[(str(tmp_path / "secret"), 0, 16)])
        else:
            layout = h5py.VirtualLayout((4,), "f4")
            layout[:] = h5py.VirtualSource("other.h5", "weights", (4,))
            file.create_virtual_dataset("weights", layout)
    assert refusal(read_h5, tmp_path / "x.h5").code == "h5-link"


def test_without_h5py_the_message_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(BertsmithError, match=r"bertsmith\[keras\]") as caught:
        read_h5(tmp_path / "x.h5")
    assert caught.value.exit_code == 5


@pytest.mark.parametrize("content", ["[1]", '{"config": null}', '{"config": [1]}', "[" * 100_000])
def test_a_keras_file_whose_config_is_none_is_refused(tmp_path, content):
    with zipfile.ZipFile(tmp_path / "model.keras", "w") as file:
        file.writestr("config.json", content)
    assert refusal(read_keras_config, tmp_path / "model.keras").code == "damaged-keras"


def test_a_broken_stream_in_a_keras_file_is_refused(tmp_path):
    file = packed(tmp_path, ENCODED)
    data = bytearray(file.read_bytes())
    data[200:260] = b"\xff" * 60
    file.write_bytes(data)
    assert refusal(read_keras, file).code == "damaged-keras"


def test_quantized_weights_of_keras_are_refused(tmp_path):
    write_keras(tmp_path, checkpoint(*ENCODED).arrays, CONFIG.num_attention_heads)
    with h5py.File(tmp_path / WEIGHTS, "a") as file:
        del file["layers/dense/vars/0"]
        file["layers/dense/vars/0"] = np.ones((12, 12), np.int8)
    assert refusal(read_keras, tmp_path).code == "not-floats"


def test_groups_that_stand_in_each_other_do_not_hang(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        group = file.create_group("a")
        group["again"] = group
    assert refusal(read_h5, tmp_path / "x.h5").code == "h5-link"


def test_an_array_larger_than_what_the_file_holds_is_refused_before_it_is_read(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("weights", (2**20, 2**20), "f4", chunks=(64, 64))
    assert refusal(read_h5, tmp_path / "x.h5").code == "h5-link"


def test_two_layers_of_one_name_that_differ_are_refused(tmp_path):
    write_keras(tmp_path, checkpoint(*ENCODED).arrays, CONFIG.num_attention_heads)
    with h5py.File(tmp_path / WEIGHTS, "a") as file:
        file.copy("layers/dense", "layers/dense_7")
    assert same(read_keras(tmp_path)[0], checkpoint(*ENCODED).arrays)
    with h5py.File(tmp_path / WEIGHTS, "a") as file:
        file["layers/dense_7/vars/1"][0] = 9.0
    assert refusal(read_keras, tmp_path).code == "arrays-differ"


@pytest.mark.parametrize("shape", [(), (0, 4, 3), (0, 0, 0), (2, 2, 2, 2)])
def test_an_array_of_keras_with_odd_axes_is_read_as_it_is(tmp_path, shape):
    write_h5(tmp_path / WEIGHTS, {"layers/dense/vars/0": np.zeros(shape, np.float32)}, {"layers/dense": "pooled_dense"})
    assert read_keras(tmp_path)[0]["bert.pooler.dense.weight"].size == np.zeros(shape).size


@pytest.mark.parametrize("content", [h5py.Empty("f4"), h5py.Empty("V4"), np.array(["text"], "S")])
def test_what_is_no_array_of_floats_is_refused(tmp_path, content):
    with h5py.File(tmp_path / WEIGHTS, "w") as file:
        file["layers/dense/vars/0"] = content
        file["layers/dense/vars"].attrs["name"] = "pooled_dense"
    assert refusal(read_keras, tmp_path).code in ("not-floats", "damaged-h5")


@pytest.mark.parametrize("room", [0, 2000, 20_000])
def test_a_full_disk_is_an_error_and_no_crash_of_the_interpreter(tmp_path, monkeypatch, room):
    class FullDisk(io.FileIO):
        def write(self, data):
            if self.tell() + len(data) > room:
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(data)

    monkeypatch.setattr(h5, "open", lambda place, _: io.BufferedRandom(FullDisk(place, "w+")), raising=False)
    with pytest.raises(OSError, match="No space left") as caught:
        write_transformers_h5(tmp_path / FILE, checkpoint().arrays)
    assert caught.value.errno == errno.ENOSPC
