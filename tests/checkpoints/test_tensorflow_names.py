"""Checkpoints of TensorFlow 1 and 2 and the arrays of a BERT, both ways, without TensorFlow."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_checkpoint import CONFIG, checkpoint

from bertsmith.checkpoints.bundle import Bundle, data_file, index_file
from bertsmith.checkpoints.bundle_writer import write_bundle
from bertsmith.checkpoints.google import find_prefixes, listed, read_tensorflow, write_tensorflow
from bertsmith.checkpoints.names import Part, shapes
from bertsmith.checkpoints.object_graph import GRAPH, StoredValue, graph_of, parse_graph, slot_key, value_key
from bertsmith.checkpoints.tensorflow_names import places
from bertsmith.config.presets import preset
from bertsmith.errors import CheckpointError

RANDOM = np.random.default_rng(5)
QA = {
    "qa_outputs.weight": RANDOM.random((2, 12), np.float32),
    "qa_outputs.bias": RANDOM.random(2, np.float32),
}
WHOLE = checkpoint(*Part).arrays | QA
SLOTS = {
    "m": {name: array * 2 for name, array in WHOLE.items()},
    "v": {name: array * array for name, array in WHOLE.items()},
}
KINDS = ["tf1", "tf2"]
HEADS = CONFIG.num_attention_heads


def same(arrays, others):
    return arrays.keys() == others.keys() and all(
        arrays[name].shape == others[name].shape and arrays[name].tobytes() == others[name].tobytes() for name in arrays
    )


def stored(prefix):
    bundle = Bundle.open(prefix)
    return {name: bundle.read(name) for name in bundle.entries}


def rewritten(prefix, change):
    """The same checkpoint with other names or arrays."""
    tensors = {name: array if array.dtype != object else array.item() for name, array in stored(prefix).items()}
    write_bundle(prefix, change(tensors))
    return prefix


def refusal(prefix):
    with pytest.raises(CheckpointError) as caught:
        read_tensorflow(prefix)
    return caught.value


@pytest.fixture(params=KINDS)
def prefix(tmp_path, request):
    write_tensorflow(tmp_path / "bert_model.ckpt", WHOLE, heads=HEADS, slots=SLOTS, step=77, kind=request.param)
    return tmp_path / "bert_model.ckpt"


@pytest.mark.parametrize("kind", KINDS)
def test_weights_slots_and_step_survive_with_their_bits(tmp_path, kind):
    write_tensorflow(tmp_path / "m", WHOLE, heads=HEADS, slots=SLOTS, step=77, kind=kind)
    read = read_tensorflow(tmp_path / "m")
    assert same(read.arrays, WHOLE)
    assert read.slots.keys() == {"m", "v"}
    assert same(read.slots["m"], SLOTS["m"])
    assert same(read.slots["v"], SLOTS["v"])
    assert (read.step, read.kind, read.left_over) == (77, kind, ())


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=15, deadline=None)
@given(parts=st.sets(st.sampled_from(list(Part)), min_size=1), with_step=st.booleans(), seed=st.integers(0, 1 << 30))
def test_any_parts_and_any_bits_survive(tmp_path_factory, kind, parts, with_step, seed):
    prefix = tmp_path_factory.mktemp("checkpoint") / "m"
    random = np.random.default_rng(seed)
    arrays = {
        name: random.integers(0, 1 << 32, shape, np.uint32).view(np.float32)
        for part in parts
        for name, shape in shapes(CONFIG, part, 3).items()
    }
    write_tensorflow(prefix, arrays, heads=HEADS, step=seed if with_step else None, kind=kind)
    read = read_tensorflow(prefix)
    assert same(read.arrays, arrays)
    assert (read.slots, read.step, read.left_over) == ({}, seed if with_step else None, ())


def test_what_is_read_is_ready_for_use(prefix):
    for array in read_tensorflow(prefix).arrays.values():
        assert array.dtype == np.float32
        assert array.flags.c_contiguous
        assert array.flags.aligned
        assert array.flags.writeable


def test_googles_names_and_orientation(tmp_path):
    write_tensorflow(tmp_path / "m", WHOLE, heads=HEADS, slots={"m": SLOTS["m"]}, step=3)
    found = stored(tmp_path / "m")
    dense = "bert/encoder/layer_1/intermediate/dense"
    expected = {
        "bert/embeddings/word_embeddings": WHOLE["bert.embeddings.word_embeddings.weight"],
        "bert/embeddings/LayerNorm/gamma": WHOLE["bert.embeddings.LayerNorm.weight"],
        "bert/encoder/layer_0/attention/self/query/kernel": WHOLE["bert.encoder.layer.0.attention.self.query.weight"].T,
        f"{dense}/kernel": WHOLE["bert.encoder.layer.1.intermediate.dense.weight"].T,
        f"{dense}/kernel/adam_m": SLOTS["m"]["bert.encoder.layer.1.intermediate.dense.weight"].T,
        f"{dense}/bias": WHOLE["bert.encoder.layer.1.intermediate.dense.bias"],
        "cls/predictions/output_bias": WHOLE["cls.predictions.bias"],
        "cls/seq_relationship/output_weights": WHOLE["cls.seq_relationship.weight"],
        "output_weights": WHOLE["classifier.weight"],
        "output_bias": WHOLE["classifier.bias"],
        "cls/squad/output_weights": QA["qa_outputs.weight"],
        "cls/squad/output_bias": QA["qa_outputs.bias"],
    }
    for name, array in expected.items():
        assert np.array_equal(found[name], array), name
    assert found["global_step"] == 3
    assert found["global_step"].dtype == np.int64
    assert f"{dense}/kernel/adam_v" not in found


def test_the_model_gardens_names_and_axes(tmp_path):
    write_tensorflow(tmp_path / "m", WHOLE, heads=HEADS, kind="tf2")
    found = stored(tmp_path / "m")
    layer = ("encoder", "_transformer_layers", "1", "_attention_layer")
    query = WHOLE["bert.encoder.layer.1.attention.self.query.weight"]
    output = WHOLE["bert.encoder.layer.1.attention.output.dense.weight"]
    kernel = found[value_key((*layer, "_query_dense", "kernel"))]
    assert kernel.shape == (12, 3, 4)
    assert np.array_equal(kernel[:, 2, 1], query[2 * 4 + 1])  # the outputs of head 2 begin at row 8
    kernel = found[value_key((*layer, "_output_dense", "kernel"))]
    assert kernel.shape == (3, 4, 12)
    assert np.array_equal(kernel[2, 1], output[:, 2 * 4 + 1])
    assert found[value_key((*layer, "_query_dense", "bias"))].shape == (3, 4)
    assert np.array_equal(found[value_key(("next_sentence", "out_proj", "kernel"))], WHOLE["cls.seq_relationship.weight"].T)
    graph = parse_graph(found[GRAPH].item(), tmp_path)
    names = {variable.full_name for variable in graph.variables.values()}
    assert {
        "transformer/layer_1/self_attention/query/kernel",
        "cls/predictions/output_bias/bias",
        "type_embeddings/embeddings",
    } <= names


def test_adams_slots_of_tensorflow_itself_are_read(tmp_path):
    write_tensorflow(tmp_path / "m", WHOLE, heads=HEADS, slots=SLOTS)

    def rename(tensors):
        renamed = {name.replace("adam_m", "Adam").replace("adam_v", "Adam_1"): array for name, array in tensors.items()}
        return renamed | {"beta1_power": np.float32(0.9)[()].reshape(())}

    read = read_tensorflow(rewritten(tmp_path / "m", rename))
    assert same(read.slots["m"], SLOTS["m"])
    assert same(read.slots["v"], SLOTS["v"])
    assert read.left_over == ("beta1_power",)


def test_what_belongs_to_no_bert_is_told(tmp_path):
    write_tensorflow(tmp_path / "m", WHOLE, heads=HEADS)
    extra = {"crf_loss/transitions": np.zeros((3, 3), np.float32), "bert/other/kernel": np.zeros((2, 2), np.float32)}
    read = read_tensorflow(rewritten(tmp_path / "m", lambda tensors: tensors | extra))
    assert sorted(read.left_over) == sorted(extra)
    assert same(read.arrays, WHOLE)


def test_the_saved_counter_of_a_program_is_no_step(tmp_path):
    write_tensorflow(tmp_path / "m", WHOLE, heads=HEADS)
    read = read_tensorflow(rewritten(tmp_path / "m", lambda tensors: tensors | {"save_counter": np.array(4)}))
    assert (read.step, read.left_over) == (None, ())


def garden(tmp_path, variables, **more):
    """A checkpoint of TensorFlow 2 with variables at any paths."""
    values = {path: StoredValue(name, value_key(path)) for path, (name, _) in variables.items()}
    tensors = {value_key(path): array for path, (_, array) in variables.items()}
    write_bundle(tmp_path / "m", tensors | {GRAPH: graph_of(values)} | more)
    return tmp_path / "m"


QUERY = RANDOM.random((12, 3, 4), np.float32)


def test_full_names_are_found_wherever_they_are_nested(tmp_path):
    prefix = garden(
        tmp_path,
        {
            ("a", "b.c", "d/e"): ("my_model/bert_encoder_v2/transformer/layer_3/self_attention/query/kernel", QUERY),
            ("x",): ("word_embeddings/embeddings", np.ones((5, 12), np.float32)),
            ("step",): ("global_step", np.array(9)),
        },
    )
    read = read_tensorflow(prefix)
    assert read.arrays.keys() == {"bert.encoder.layer.3.attention.self.query.weight", "bert.embeddings.word_embeddings.weight"}
    assert np.array_equal(read.arrays["bert.encoder.layer.3.attention.self.query.weight"], QUERY.reshape(12, 12).T)
    assert (read.step, read.kind, read.left_over) == (9, "tf2", ())


def test_attributes_tell_what_names_do_not(tmp_path):
    layer = ("net", "_transformer_layers", "0", "_attention_layer")
    prefix = garden(
        tmp_path,
        {
            (*layer, "_query_dense", "kernel"): ("kernel", QUERY),
            ("net", "_embedding_norm_layer", "gamma"): ("gamma", np.ones(12, np.float32)),
            ("masked_lm", "bias"): ("bias", np.ones(5, np.float32)),
        },
    )
    assert read_tensorflow(prefix).arrays.keys() == {
        "bert.encoder.layer.0.attention.self.query.weight",
        "bert.embeddings.LayerNorm.weight",
        "cls.predictions.bias",
    }


def test_numbered_layers_of_early_releases_are_read(tmp_path):
    def key(number):
        return f"layer_with_weights-{number}"

    kernel = RANDOM.random((12, 12), np.float32)
    prefix = garden(
        tmp_path,
        {
            ("model", key(0), "embeddings"): ("v0", np.ones((19, 12), np.float32)),
            ("model", key(1), "embeddings"): ("v1", np.ones((17, 12), np.float32)),
            ("model", key(2), "embeddings"): ("v2", np.ones((4, 12), np.float32)),
            ("model", key(3), "beta"): ("v3", np.ones(12, np.float32)),
            ("model", key(5), "_attention_layer", "_value_dense", "kernel"): ("v4", QUERY),
            ("model", key(5), "_attention_output_dense", "kernel"): ("v5", QUERY.reshape(3, 4, 12)),
            ("model", key(5), "_output_dense", "kernel"): ("v6", kernel),
            ("model", key(6), "kernel"): ("v7", kernel),
        },
    )
    read = read_tensorflow(prefix)
    assert read.left_over == ()
    assert read.arrays.keys() == {
        "bert.embeddings.word_embeddings.weight",
        "bert.embeddings.position_embeddings.weight",
        "bert.embeddings.token_type_embeddings.weight",
        "bert.embeddings.LayerNorm.bias",
        "bert.encoder.layer.1.attention.self.value.weight",
        "bert.encoder.layer.1.attention.output.dense.weight",
        "bert.encoder.layer.1.output.dense.weight",
        "bert.pooler.dense.weight",
    }
    assert np.array_equal(read.arrays["bert.pooler.dense.weight"], kernel.T)


def test_names_of_the_model_garden_without_a_graph_are_read(tmp_path):
    tensors = {"transformer/layer_0/self_attention/key/bias": RANDOM.random((3, 4), np.float32)}
    write_bundle(tmp_path / "m", tensors)
    read = read_tensorflow(tmp_path / "m")
    assert read.kind == "tf1"
    assert read.arrays.keys() == {"bert.encoder.layer.0.attention.self.key.bias"}


def test_the_trained_pooler_is_taken_and_the_other_told(tmp_path):
    trained, drawn = np.ones((12, 12), np.float32), np.zeros((12, 12), np.float32)
    variables = {
        ("a",): ("bert_encoder/pooler_transform/kernel", drawn),
        ("b",): ("next_sentence/pooler_dense/kernel", trained),
    }
    read = read_tensorflow(garden(tmp_path, variables))
    assert np.array_equal(read.arrays["bert.pooler.dense.weight"], trained)
    assert read.left_over == (value_key(("a",)),)


def test_of_two_models_in_a_file_the_first_is_taken_and_the_other_told(tmp_path):
    name = "word_embeddings/embeddings"
    tables = {
        ("pupil", "table"): (name, np.ones((5, 12), np.float32)),
        ("teacher", "table"): (name, np.zeros((5, 12), np.float32)),
    }
    read = read_tensorflow(garden(tmp_path, tables))
    assert read.arrays["bert.embeddings.word_embeddings.weight"].all()
    assert read.left_over == (value_key(("teacher", "table")),)


def test_lists_of_an_optimizer_are_slots_and_no_weights(tmp_path):
    name = "transformer/layer_0/output/kernel"
    prefix = garden(
        tmp_path,
        {
            ("model", "k"): (name, np.ones((20, 12), np.float32)),
            ("optimizer", "_variables", "0"): ("iteration", np.array(8)),
            ("optimizer", "_variables", "1"): (f"Adam/m/{name}", np.full((20, 12), 2, np.float32)),
            ("optimizer", "_variables", "2"): (f"v/{name}", np.full((20, 12), 3, np.float32)),
            ("optimizer", "_variables", "3"): (name, np.full((20, 12), 4, np.float32)),
            ("optimizer", "_iterations"): ("iteration", np.array(8)),
        },
    )
    read = read_tensorflow(prefix)
    ours = "bert.encoder.layer.0.output.dense.weight"
    assert read.arrays[ours][0, 0] == 1
    assert read.slots["m"][ours][0, 0] == 2
    assert read.slots["v"][ours][0, 0] == 3
    assert read.step == 8
    assert read.left_over == (value_key(("optimizer", "_variables", "0")), value_key(("optimizer", "_variables", "3")))


def test_slots_of_another_kind_are_told(tmp_path):
    path, optimizer = ("model", "k"), ("optimizer",)
    variables = {
        path: StoredValue("word_embeddings/embeddings", value_key(path)),
        (*optimizer, "iter"): StoredValue("iter", "i"),
    }
    slot = StoredValue("momentum", slot_key(path, optimizer, "momentum"))
    table = np.ones((5, 12), np.float32)
    graph = graph_of(variables, optimizer=optimizer, slots=[(path, "momentum", slot)])
    write_bundle(tmp_path / "m", {value_key(path): table, "i": np.array(2), slot.key: table, GRAPH: graph})
    read = read_tensorflow(tmp_path / "m")
    assert (read.slots, read.left_over, read.step) == ({}, (slot.key,), 2)


def test_a_graph_is_read_as_it_was_written():
    variables = {
        ("a", "b.c"): StoredValue("one", value_key(("a", "b.c"))),
        ("a", "d/e", "f"): StoredValue("two", value_key(("a", "d/e", "f"))),
        ("o", "iter"): StoredValue("three", value_key(("o", "iter"))),
    }
    slot = StoredValue("four", slot_key(("a", "b.c"), ("o",), "m"))
    graph = parse_graph(graph_of(variables, {("also",): ("a",)}, ("o",), [(("a", "b.c"), "m", slot)]), Path("m"))
    assert {found.full_name: found.path for found in graph.variables.values()} == {
        "one": ("a", "b.c"),
        "two": ("a", "d/e", "f"),
        "three": ("o", "iter"),
        "four": (),
    }
    assert set(graph.variables) == {value.key for value in variables.values()} | {slot.key}
    assert [(found.name, found.variable, found.key) for found in graph.slots] == [("m", value_key(("a", "b.c")), slot.key)]
    assert "a/b..c/.ATTRIBUTES/VARIABLE_VALUE" in graph.variables
    assert "a/d.Se/f/.ATTRIBUTES/VARIABLE_VALUE" in graph.variables


@given(st.binary(max_size=60))
def test_no_bytes_break_the_reader_of_graphs(content):
    try:
        graph = parse_graph(content, Path("m"))
    except CheckpointError as error:
        assert error.code == "tensorflow-damaged-graph"
    else:
        assert len(graph.variables) <= len(content)


def test_a_chain_of_objects_without_end_is_refused():
    path = tuple("x" for _ in range(200))
    with pytest.raises(CheckpointError, match="tensorflow-damaged-graph"):
        parse_graph(graph_of({path: StoredValue("deep", "deep")}), Path("m"))


def test_a_checkpoint_without_a_bert_is_refused(tmp_path):
    write_bundle(tmp_path / "m", {"dense/kernel": np.ones((3, 4), np.float32)})
    error = refusal(tmp_path / "m")
    assert error.code == "tensorflow-no-bert"
    assert "dense/kernel" in str(error)


def test_shapes_and_types_that_no_bert_has_are_told_at_once(tmp_path):
    write_tensorflow(tmp_path / "m", WHOLE, heads=HEADS, slots=SLOTS)

    def change(tensors):
        return tensors | {
            "bert/pooler/dense/kernel": np.ones((2, 3, 4), np.float32),
            "bert/embeddings/LayerNorm/beta/adam_m": np.ones(3, np.float32),
            "bert/embeddings/word_embeddings": np.ones((19, 12), np.int32),
        }

    error = refusal(rewritten(tmp_path / "m", change))
    assert [error.code, *(fault.code for fault in error.also)] == ["not-floats", "tensorflow-odd-shapes"]
    assert "int32" in str(error)
    assert "bert/pooler/dense/kernel (2, 3, 4)" in str(error)
    assert "LayerNorm/beta/adam_m" in str(error)


def test_other_float_widths_become_fp32(tmp_path):
    write_bundle(tmp_path / "m", {"bert/embeddings/word_embeddings": np.ones((19, 12), np.float16) / 3})
    read = read_tensorflow(tmp_path / "m").arrays["bert.embeddings.word_embeddings.weight"]
    assert read.dtype == np.float32
    assert np.array_equal(read, (np.ones((19, 12), np.float16) / 3).astype(np.float32))


@pytest.mark.parametrize("kind", KINDS)
def test_arrays_without_a_name_there_are_refused_before_anything_is_written(tmp_path, kind):
    arrays = WHOLE | {"cls.predictions.decoder.weight": WHOLE["bert.embeddings.word_embeddings.weight"]}
    with pytest.raises(CheckpointError, match=r"cls\.predictions\.decoder\.weight") as caught:
        write_tensorflow(tmp_path / "m", arrays, heads=HEADS, slots={"u": {}, "m": {"qa": QUERY}}, kind=kind)
    assert caught.value.code == "tensorflow-no-name"
    assert "m qa" in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_a_width_that_the_heads_do_not_divide_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="5 heads") as caught:
        write_tensorflow(tmp_path / "m", WHOLE, heads=5, kind="tf2")
    assert caught.value.code == "tensorflow-uneven-heads"


def test_the_newest_checkpoint_of_a_folder_comes_first(tmp_path):
    for name in ("model.ckpt-2", "model.ckpt-10", "model.ckpt-9", "bert_model.ckpt"):
        write_bundle(tmp_path / name, {"x": QUERY})
    (tmp_path / "faiss.index").write_bytes(b"another kind of index")
    assert [prefix.name for prefix in find_prefixes(tmp_path)] == [
        "model.ckpt-10",
        "model.ckpt-9",
        "model.ckpt-2",
        "bert_model.ckpt",
    ]
    (tmp_path / "checkpoint").write_text(
        'model_checkpoint_path: "/where/it/was/model.ckpt-9"\nall_model_checkpoint_paths: "x"\n'
    )
    assert [prefix.name for prefix in find_prefixes(tmp_path)][:2] == ["model.ckpt-9", "model.ckpt-10"]
    (tmp_path / "checkpoint").write_bytes(b"\xff\xfe")
    assert find_prefixes(tmp_path)[0].name == "model.ckpt-10"


def test_every_array_of_every_part_has_its_place():
    config = preset("tiny")
    ours = {place.ours for place in places(range(config.num_hidden_layers))}
    wanted = {name for part in Part for name in shapes(config, part)}
    assert wanted | set(QA) == ours


def chinese_index():
    data = os.environ.get("BERTSMITH_DATA")
    if not data:
        pytest.skip("BERTSMITH_DATA is not set: no index of a published checkpoint")
    return Path(data) / "zh/models/google_chinese_L-12_H-768_A-12_index_only/bert_model.ckpt"


def test_the_published_chinese_index_lists_its_variables_and_their_shapes():
    found = listed(chinese_index())
    config = preset("base").replace(vocab_size=21128)
    expected = {}
    parts = (Part.ENCODER, Part.POOLER, Part.MLM, Part.NSP)
    wanted = {name: shape for part in parts for name, shape in shapes(config, part).items()}
    for place in places(range(12)):
        if place.ours in wanted:
            shape = wanted[place.ours]
            expected[place.tf1] = shape[::-1] if place.tf1.endswith("kernel") else shape
    assert len(found) == 206
    assert found == expected


def test_the_published_chinese_index_without_its_data_names_the_file():
    error = refusal(chinese_index())
    assert error.code == "tensorflow-index-alone"
    assert "bert_model.ckpt.data-00000-of-00001" in str(error)


def test_an_index_that_is_copied_alone_still_lists(prefix, tmp_path):
    data_file(prefix, 0, 1).unlink()
    assert index_file(prefix).is_file()
    assert len(listed(prefix)) > 3 * len(WHOLE)
    assert refusal(prefix).code == "tensorflow-index-alone"
