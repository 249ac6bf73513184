"""Checkpoints against TensorFlow itself: its files are read to the bit, and ours are restored by it, with slots."""

import json

import numpy as np
import pytest

from bertsmith.checkpoints.bundle import Bundle
from bertsmith.checkpoints.bundle_writer import write_bundle
from bertsmith.checkpoints.google import find_prefixes, read_tensorflow, write_tensorflow
from bertsmith.checkpoints.names import Part, shapes
from bertsmith.checkpoints.tensorflow_names import HEAD_POOLER, places, to_theirs
from bertsmith.config.bert import BertConfig
from bertsmith.errors import CheckpointError

pytestmark = pytest.mark.tensorflow

CONFIG = BertConfig(
    vocab_size=19,
    hidden_size=12,
    num_hidden_layers=2,
    num_attention_heads=3,
    intermediate_size=20,
    max_position_embeddings=17,
    type_vocab_size=4,
)
HEADS = 3
RANDOM = np.random.default_rng(11)
ARRAYS = {
    name: RANDOM.normal(0, 1, shape).astype(np.float32) for part in Part for name, shape in shapes(CONFIG, part, 5).items()
}
SLOTS = {slot: {name: RANDOM.random(array.shape, np.float32) for name, array in ARRAYS.items()} for slot in ("m", "v")}
PLACES = [place for place in places(range(2)) if place.ours in ARRAYS]

# Values come in an npz, by name; TensorFlow's own answers go back in another.
GRAPH_MODE = """
import json, sys
import numpy as np
import tensorflow.compat.v1 as tf
tf.disable_eager_execution()
given, prefix = dict(np.load(sys.argv[1])), sys.argv[2]
"""
SAVE_GRAPH = (
    GRAPH_MODE
    + """
options = json.loads(sys.argv[3])
for number, (name, array) in enumerate(given.items()):
    with tf.device(f"/cpu:{number % options['devices']}"):
        tf.get_variable(name, initializer=array)
saver = tf.train.Saver(sharded=options["devices"] > 1, write_version=options["version"])
with tf.Session(config=tf.ConfigProto(device_count={"CPU": options["devices"]})) as session:
    session.run(tf.global_variables_initializer())
    saver.save(session, prefix, global_step=options["step"], write_meta_graph=False)
print(json.dumps(len(given)))
"""
)
SAVE_ADAM = (
    GRAPH_MODE
    + """
variables = [tf.get_variable(name, initializer=array) for name, array in given.items()]
step = tf.train.get_or_create_global_step()
loss = tf.add_n([tf.reduce_sum(tf.square(variable)) for variable in variables])
optimizer = tf.train.AdamOptimizer(0.1)
train = optimizer.minimize(loss, global_step=step)
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    for _ in range(3):
        session.run(train)
    tf.train.Saver().save(session, prefix, write_meta_graph=False)
    values = {f"weight {variable.op.name}": session.run(variable) for variable in variables}
    for slot in ("m", "v"):
        values |= {f"{slot} {variable.op.name}": session.run(optimizer.get_slot(variable, slot)) for variable in variables}
np.savez(sys.argv[3], **values)
print(json.dumps(0))
"""
)
RESTORE_GRAPH = (
    GRAPH_MODE
    + """
variables = [tf.get_variable(name, shape=array.shape, dtype=array.dtype) for name, array in given.items()]
with tf.Session() as session:
    tf.train.Saver().restore(session, prefix)
    np.savez(sys.argv[3], **{variable.op.name: session.run(variable) for variable in variables})
print(json.dumps(len(variables)))
"""
)
LOAD = """
import json, sys
import numpy as np
import tensorflow as tf
reader = tf.train.load_checkpoint(sys.argv[1])
shapes = reader.get_variable_to_shape_map()
values = {name: reader.get_tensor(name) for name in shapes if not name.startswith("_CHECKPOINTABLE")}
np.savez(sys.argv[2], **values)
print(json.dumps(shapes))
"""
# a tree of modules with the attributes of the model garden, from paths
TREE = """
import json, sys
import numpy as np
import tensorflow as tf
import tf_keras
given, prefix = dict(np.load(sys.argv[1])), sys.argv[2]
names = json.loads(sys.argv[3])

class Node(tf.Module):
    pass

root, variables = {}, {}
for path, array in given.items():
    first, *middle, last = path.split("|")
    node = root.setdefault(first, Node())
    for step in middle:
        if not hasattr(node, step):
            setattr(node, step, Node())
        node = getattr(node, step)
    variables[path] = tf.Variable(np.zeros_like(array) if names is None else array, name=None if names is None else names[path])
    setattr(node, last, variables[path])
"""
SAVE_TREE = (
    TREE
    + """
optimizer = tf_keras.optimizers.legacy.Adam() if sys.argv[5] == "legacy" else tf_keras.optimizers.Adam()
for _ in range(3):
    optimizer.apply_gradients([(variable * 0.5, variable) for variable in variables.values()])
tf.train.Checkpoint(optimizer=optimizer, **root).write(prefix)
values = {f"weight {path}": variable.numpy() for path, variable in variables.items()}
for path, variable in variables.items():
    if sys.argv[5] == "legacy":
        means = {slot: optimizer.get_slot(variable, slot) for slot in ("m", "v")}
    else:
        number = optimizer._index_dict[optimizer._var_key(variable)]
        means = {"m": optimizer._momentums[number], "v": optimizer._velocities[number]}
    values |= {f"{slot} {path}": mean.numpy() for slot, mean in means.items()}
np.savez(sys.argv[4], **values)
print(json.dumps(len(values)))
"""
)
RESTORE_TREE = (
    TREE
    + """
optimizer = tf_keras.optimizers.legacy.Adam()
root["next_sentence"].dense = root["next_sentence.pooler_dense"]
checkpoint = tf.train.Checkpoint(optimizer=optimizer, **root)
status = checkpoint.restore(prefix)
optimizer.iterations, optimizer._create_slots(list(variables.values()))  # all but learning rate and betas, which a checkpoint of ours has not
status.assert_consumed()
values = {f"weight {path}": variable.numpy() for path, variable in variables.items()}
for slot in ("m", "v"):
    values |= {f"{slot} {path}": optimizer.get_slot(variable, slot).numpy() for path, variable in variables.items()}
np.savez(sys.argv[4], **values)
print(json.dumps(int(optimizer.iterations.numpy())))
"""
)


def google(arrays):
    return {place.tf1: to_theirs(arrays[place.ours], place.tf1_form, HEADS) for place in PLACES}


def garden(arrays):
    """The arrays by the path of their variables."""
    return {"|".join(place.path): to_theirs(arrays[place.ours], place.tf2_form, HEADS) for place in PLACES}


def saved(path, arrays):
    np.savez(path, **{name: np.array(array, order="C") for name, array in arrays.items()})
    return path


def assert_same(arrays, others):
    assert arrays.keys() == others.keys()
    for name, array in arrays.items():
        assert array.shape == others[name].shape, name
        assert array.tobytes() == others[name].tobytes(), name


def parts(values):
    """Weights and slots of what TensorFlow gave back."""
    kinds = {}
    for name, array in values.items():
        kind, _, rest = name.partition(" ")
        kinds.setdefault(kind, {})[rest] = array
    return kinds


@pytest.mark.parametrize("devices", [1, 3])
def test_what_saver_writes_is_read_to_the_bit(peer, tmp_path, devices):
    given = google(ARRAYS) | {"global_step": np.array(41)}
    for slot, means in SLOTS.items():
        given |= {f"{name}/adam_{slot}": array for name, array in google(means).items()}
    options = f'{{"devices": {devices}, "version": 2, "step": 41}}'
    peer(SAVE_GRAPH, saved(tmp_path / "given.npz", given), tmp_path / "model.ckpt", options)
    assert len(list(tmp_path.glob("model.ckpt-41.data-*"))) == devices
    assert find_prefixes(tmp_path) == [tmp_path / "model.ckpt-41"]
    read = read_tensorflow(tmp_path / "model.ckpt-41")
    assert_same(read.arrays, ARRAYS)
    assert_same(read.slots["m"], SLOTS["m"])
    assert_same(read.slots["v"], SLOTS["v"])
    assert (read.step, read.kind, read.left_over) == (41, "tf1", ())


def test_slots_of_tensorflows_own_adam_are_read_to_the_bit(peer, tmp_path):
    peer(SAVE_ADAM, saved(tmp_path / "given.npz", google(ARRAYS)), tmp_path / "m", tmp_path / "values.npz")
    values = parts(np.load(tmp_path / "values.npz"))
    read = read_tensorflow(tmp_path / "m")
    assert_same(google(read.arrays), values["weight"])
    assert_same(google(read.slots["m"]), values["m"])
    assert_same(google(read.slots["v"]), values["v"])
    assert read.step == 3
    assert set(read.left_over) == {"beta1_power", "beta2_power"}


def test_the_first_format_is_named(peer, tmp_path):
    given = saved(tmp_path / "given.npz", google(ARRAYS))
    peer(SAVE_GRAPH, given, tmp_path / "m", '{"devices": 1, "version": 1, "step": 1}')
    with pytest.raises(CheckpointError, match="tensorflow-v1-checkpoint"):
        read_tensorflow(tmp_path / "m-1")


def test_partitioned_variables_are_named(peer, tmp_path):
    script = (
        GRAPH_MODE
        + """
with tf.variable_scope("", partitioner=tf.fixed_size_partitioner(2)):
    for name, array in given.items():
        tf.get_variable(name, array.shape)
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    tf.train.Saver().save(session, prefix, write_meta_graph=False)
print(json.dumps(0))
"""
    )
    table = {"bert/embeddings/word_embeddings": ARRAYS["bert.embeddings.word_embeddings.weight"]}
    peer(script, saved(tmp_path / "given.npz", table), tmp_path / "m")
    with pytest.raises(CheckpointError, match="tensorflow-partitioned"):
        read_tensorflow(tmp_path / "m")


@pytest.mark.parametrize("optimizer", ["legacy", "new"])
def test_what_checkpoint_writes_is_read_to_the_bit(peer, tmp_path, optimizer):
    names = json.dumps({"|".join(place.path): place.tf2[0] for place in PLACES})
    given = saved(tmp_path / "given.npz", garden(ARRAYS))
    peer(SAVE_TREE, given, tmp_path / "m", names, tmp_path / "values.npz", optimizer)
    values = parts(np.load(tmp_path / "values.npz"))
    read = read_tensorflow(tmp_path / "m")
    assert_same(garden(read.arrays), values["weight"])
    assert_same(garden(read.slots["m"]), values["m"])
    assert_same(garden(read.slots["v"]), values["v"])
    assert (read.step, read.kind) == (3, "tf2")
    assert all(name.startswith("optimizer/") for name in read.left_over)


@pytest.mark.parametrize("kind", ["tf1", "tf2"])
def test_tensorflow_lists_and_reads_what_we_write(peer, tmp_path, kind):
    write_tensorflow(tmp_path / "m", ARRAYS, heads=HEADS, slots=SLOTS, step=7, kind=kind)
    listed = peer(LOAD, tmp_path / "m", tmp_path / "values.npz")
    bundle = Bundle.open(tmp_path / "m")
    assert {name: tuple(shape) for name, shape in listed.items()} == {
        name: entry.shape for name, entry in bundle.entries.items()
    }
    values = dict(np.load(tmp_path / "values.npz"))
    assert_same(values, {name: bundle.read(name) for name in values})
    if kind == "tf1":
        assert_same({name: values[name] for name in google(ARRAYS)}, google(ARRAYS))


def test_tensorflow_reads_an_index_of_many_blocks(peer, tmp_path):
    arrays = {f"{'scope/' * 20}{number}": np.array([number, 1], np.int32) for number in range(5000)}
    write_bundle(tmp_path / "m", arrays)
    peer(LOAD, tmp_path / "m", tmp_path / "values.npz")
    assert_same(dict(np.load(tmp_path / "values.npz")), arrays)


def test_saver_restores_what_we_write(peer, tmp_path):
    write_tensorflow(tmp_path / "m", ARRAYS, heads=HEADS, slots=SLOTS, step=7)
    wanted = google(ARRAYS) | {"global_step": np.array(7)}
    for slot, means in SLOTS.items():
        wanted |= {f"{name}/adam_{slot}": array for name, array in google(means).items()}
    peer(RESTORE_GRAPH, saved(tmp_path / "given.npz", wanted), tmp_path / "m", tmp_path / "values.npz")
    assert_same(dict(np.load(tmp_path / "values.npz")), wanted)


def test_checkpoint_restores_what_we_write_with_nothing_left(peer, tmp_path):
    write_tensorflow(tmp_path / "m", ARRAYS, heads=HEADS, slots=SLOTS, step=7, kind="tf2")

    def tree(arrays):
        pooler = {"|".join((*HEAD_POOLER, place.path[-1])): place for place in PLACES if place.ours.startswith("bert.pooler.")}
        return garden(arrays) | {path: to_theirs(arrays[place.ours], place.tf2_form, HEADS) for path, place in pooler.items()}

    given = saved(tmp_path / "given.npz", tree(ARRAYS))
    step = peer(RESTORE_TREE, given, tmp_path / "m", "null", tmp_path / "values.npz")
    values = parts(np.load(tmp_path / "values.npz"))
    assert_same(values["weight"], tree(ARRAYS))
    assert_same(values["m"], tree(SLOTS["m"]))
    assert_same(values["v"], tree(SLOTS["v"]))
    assert step == 7


MODEL_GARDEN = """
import json, sys
try:
    from official.nlp.modeling import layers, models, networks
except ImportError as error:
    print(json.dumps(str(error)))
    sys.exit()
import numpy as np
import tensorflow as tf
import tf_keras
sizes, ours, theirs = json.loads(sys.argv[1]), sys.argv[2], sys.argv[3]
encoder = networks.BertEncoderV2(**sizes)
head = layers.ClassificationHead(inner_dim=sizes["hidden_size"], num_classes=2, name="next_sentence")
model = models.BertPretrainerV2(encoder_network=encoder, classification_heads=[head])
inputs = {name: tf.ones((1, 4), tf.int32) for name in ("input_word_ids", "input_mask", "input_type_ids")}
model({**inputs, "masked_lm_positions": tf.zeros((1, 2), tf.int32)})
optimizer = tf_keras.optimizers.legacy.Adam()
checkpoint = tf.train.Checkpoint(**model.checkpoint_items, next_sentence=head, optimizer=optimizer)
status = checkpoint.restore(ours)
optimizer.iterations, optimizer._create_slots(model.trainable_variables)
status.assert_existing_objects_matched()
tf.train.Checkpoint(model=model, optimizer=optimizer).write(theirs)
print(json.dumps(None))
"""


def test_the_model_garden_restores_what_we_write_and_we_read_what_it_saves(peer, tmp_path):
    sizes = (
        '{"vocab_size": 19, "hidden_size": 12, "num_layers": 2, "num_attention_heads": 3, "max_sequence_length": 17,'
        ' "type_vocab_size": 4, "inner_dim": 20}'
    )
    write_tensorflow(tmp_path / "ours", ARRAYS, heads=HEADS, slots=SLOTS, step=7, kind="tf2")
    absent = peer(MODEL_GARDEN, sizes, tmp_path / "ours", tmp_path / "theirs")
    if absent:
        pytest.skip(f"the peers' environment has no model garden: {absent}")
    read = read_tensorflow(tmp_path / "theirs")
    wanted = [name for name in ARRAYS if not name.startswith(("classifier.", "qa_outputs."))]
    assert_same(read.arrays, {name: ARRAYS[name] for name in wanted})
    for slot, means in SLOTS.items():
        assert_same(read.slots[slot], {name: means[name] for name in wanted})
    assert read.step == 7
    assert all(name.startswith("optimizer/") for name in read.left_over)
