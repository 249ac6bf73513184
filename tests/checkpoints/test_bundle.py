"""TensorFlow's tensor bundles: written, read, refused."""

import errno
import io
import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from bertsmith.checkpoints.bundle import Bundle, data_file, index_file, read_index
from bertsmith.checkpoints.bundle_texts import pack, unpack
from bertsmith.checkpoints.bundle_writer import write_bundle
from bertsmith.checkpoints.crc32c import crc32c, masked
from bertsmith.checkpoints.protobuf import (
    Malformed,
    bytes_field,
    fixed_field,
    number_field,
    read_fields,
    read_varint,
    signed,
    varint,
)
from bertsmith.checkpoints.sorted_table import MAGIC, _write_block, read_table, write_table
from bertsmith.errors import CheckpointError, MachineError

FLOATS = np.arange(12, dtype=np.float32).reshape(3, 4)
HEADER = number_field(1, 1)


def entry(shape=(3, 4), *, type_=1, shard=0, offset=0, size=48, checksum=0, slices=b""):
    dims = b"".join(bytes_field(2, number_field(1, length)) for length in shape)
    fields = number_field(1, type_) + bytes_field(2, dims) + number_field(3, shard) + number_field(4, offset)
    return fields + number_field(5, size) + fixed_field(6, checksum) + (bytes_field(7, slices) if slices else b"")


def index_of(prefix, rows, header=HEADER):
    """An index with any content, and 48 bytes of data."""
    with open(index_file(prefix), "wb") as file:
        write_table(file, [(b"", header), *sorted(rows.items())])
    data_file(prefix, 0, 1).write_bytes(FLOATS.tobytes())
    return prefix


def refusal(prefix, name=None):
    with pytest.raises(CheckpointError) as caught:
        bundle = Bundle.open(prefix)
        bundle.read(name or "x")
    return caught.value


@pytest.fixture
def prefix(tmp_path):
    write_bundle(tmp_path / "m.ckpt", {"x": FLOATS, "y/z": FLOATS.T, "step": np.array(7)})
    return tmp_path / "m.ckpt"


@pytest.mark.parametrize("kind", ["f4", "f8", "f2", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?"])
def test_every_type_is_read_back_to_the_bit(tmp_path, kind):
    array = np.random.default_rng(1).integers(0, 100, (5, 3)).astype(kind)
    write_bundle(tmp_path / "m", {"x": array, "scalar": array[0, 0], "empty": array[:0]})
    bundle = Bundle.open(tmp_path / "m")
    for name, wanted in (("x", array), ("scalar", array[0, 0]), ("empty", array[:0])):
        read = bundle.read(name)
        assert read.dtype == array.dtype
        assert read.shape == wanted.shape
        assert read.tobytes() == wanted.tobytes()


@settings(max_examples=50, deadline=None)
@given(arrays_of.arrays(np.float32, arrays_of.array_shapes(min_dims=0, max_dims=4, min_side=0), elements=st.floats(width=32)))
def test_any_floats_survive_with_their_bits(tmp_path_factory, array):
    prefix = tmp_path_factory.mktemp("bundle") / "m"
    write_bundle(prefix, {"x": array})
    read = Bundle.open(prefix).read("x")
    assert read.shape == array.shape
    assert read.tobytes() == array.tobytes()


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.text(max_size=40).filter(lambda name: name and name[0] != "\0"), st.binary(max_size=20), max_size=60))
def test_any_names_and_texts_survive(tmp_path_factory, texts):
    prefix = tmp_path_factory.mktemp("bundle") / "m"
    write_bundle(prefix, texts)
    bundle = Bundle.open(prefix)
    assert {name: bundle.read(name).item() for name in bundle.entries} == texts


def test_bf16_is_read_as_fp32(tmp_path):
    halves = (FLOATS.view("<u4") >> 16).astype("<u2")
    index_of(tmp_path / "m", {b"x": entry(type_=14, size=24, checksum=masked(crc32c(halves)))})
    data_file(tmp_path / "m", 0, 1).write_bytes(halves.tobytes())
    read = Bundle.open(tmp_path / "m").read("x")
    assert read.dtype == np.float32
    assert np.array_equal(read, FLOATS)  # small whole numbers need no more bits


def test_what_is_read_is_a_view_of_the_file(prefix):
    read = Bundle.open(prefix).read("x")
    assert not read.flags.writeable
    assert not read.flags.owndata


def test_an_index_of_many_blocks_is_read_whole(tmp_path):
    rows = [(f"{'name' * 20}/{number:06d}".encode(), b"v" * (number % 50)) for number in range(20_000)]
    file = tmp_path / "t"
    with open(file, "wb") as opened:
        write_table(opened, rows)
    assert read_table(file) == rows
    assert file.stat().st_size < sum(len(key) + len(value) for key, value in rows)  # keys share their beginnings


def test_several_shards_are_read(tmp_path):
    prefix = tmp_path / "m"
    checksum = masked(crc32c(FLOATS))
    rows = {b"x": entry(checksum=checksum), b"y": entry(shard=1, checksum=checksum)}
    index_of(prefix, rows, number_field(1, 2))
    for number in range(2):
        data_file(prefix, number, 2).write_bytes(FLOATS.tobytes())
    bundle = Bundle.open(prefix)
    assert np.array_equal(bundle.read("x"), FLOATS)
    assert np.array_equal(bundle.read("y"), FLOATS)
    data_file(prefix, 1, 2).unlink()
    error = refusal(prefix)
    assert error.code == "tensorflow-missing-shards"
    assert "m.data-00001-of-00002" in str(error)


def test_an_index_without_any_data_is_told_apart(prefix):
    data_file(prefix, 0, 1).unlink()
    error = refusal(prefix)
    assert error.code == "tensorflow-index-alone"
    assert "m.ckpt.data-00000-of-00001" in str(error)
    assert read_index(prefix).entries["x"].shape == (3, 4)


def test_a_truncated_shard_is_refused_before_it_is_read(prefix):
    data = data_file(prefix, 0, 1)
    data.write_bytes(data.read_bytes()[:-1])
    error = refusal(prefix)
    assert error.code == "tensorflow-truncated-shard"
    assert f"after {data.stat().st_size} bytes, before 1 tensors" in str(error)
    assert "y/z" in str(error)


def test_a_changed_byte_names_the_tensor(prefix):
    data = data_file(prefix, 0, 1)
    content = bytearray(data.read_bytes())
    content[Bundle.open(prefix).entries["y/z"].offset + 5] ^= 1
    data.write_bytes(content)
    assert np.array_equal(Bundle.open(prefix).read("x"), FLOATS)
    error = refusal(prefix, "y/z")
    assert error.code == "tensorflow-wrong-checksum"
    assert "y/z" in str(error)
    assert str(data) in str(error)


def test_no_changed_byte_of_the_index_passes(prefix):
    file = index_file(prefix)
    whole = file.read_bytes()
    used = whole[-48:-8].rstrip(b"\0")  # behind its handles the footer has bytes that nobody reads
    read = [place for place in range(len(whole)) if not len(whole) - 48 + len(used) <= place < len(whole) - 8]
    for place in read:
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 0x41]) + whole[place + 1 :])
        assert refusal(prefix).code in ("tensorflow-damaged-index", "tensorflow-compressed-index"), place
    assert len(read) > 100


@pytest.mark.parametrize("kept", [0, 20, 47, 48, 100, -1])
def test_a_truncated_index_is_refused(prefix, kept):
    file = index_file(prefix)
    file.write_bytes(file.read_bytes()[:kept])
    assert refusal(prefix).code == "tensorflow-damaged-index"


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_before_a_footer_break_the_reader(tmp_path_factory, content):
    prefix = tmp_path_factory.mktemp("bundle") / "m"
    index_file(prefix).write_bytes(content + MAGIC)
    assert refusal(prefix).code in ("tensorflow-damaged-index", "pointer-file")


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_no_entry_breaks_the_reader(tmp_path_factory, content):
    prefix = index_of(tmp_path_factory.mktemp("bundle") / "m", {b"x": content})
    try:
        bundle = Bundle.open(prefix)
        bundle.read("x")
    except CheckpointError as error:
        assert error.code.startswith("tensorflow-")


def test_a_compressed_block_is_named_so(prefix):
    file = index_file(prefix)
    content = bytearray(file.read_bytes())
    end = next(place for place in range(len(content)) if content[place] == 0 and whole_block(content, place))
    content[end] = 1
    content[end + 1 : end + 5] = masked(crc32c(content[: end + 1])).to_bytes(4, "little")
    file.write_bytes(content)
    error = refusal(prefix)
    assert error.code == "tensorflow-compressed-index"
    assert "Snappy" in str(error)


def whole_block(content, end):
    """Whether the first block ends there: its checksum follows."""
    return masked(crc32c(content[: end + 1])).to_bytes(4, "little") == content[end + 1 : end + 5]


def test_big_endian_is_refused(tmp_path):
    prefix = index_of(tmp_path / "m", {b"x": entry()}, HEADER + number_field(2, 1))
    assert refusal(prefix).code == "tensorflow-big-endian"


def test_a_partitioned_variable_is_refused_when_it_is_read(tmp_path):
    rows = {b"x": entry(size=0, slices=b"\x0a\x00"), b"\0x\0slice": entry(), b"y": entry(checksum=masked(crc32c(FLOATS)))}
    prefix = index_of(tmp_path / "m", rows)
    bundle = Bundle.open(prefix)
    assert bundle.entries.keys() == {"x", "y"}
    assert np.array_equal(bundle.read("y"), FLOATS)
    error = refusal(prefix)
    assert error.code == "tensorflow-partitioned"
    assert "x was cut into slices" in str(error)


def test_the_first_format_is_named(tmp_path):
    with open(tmp_path / "model.ckpt", "wb") as file:
        write_table(file, [(b"", b"")])
    assert refusal(tmp_path / "model.ckpt").code == "tensorflow-v1-checkpoint"
    (tmp_path / "model.ckpt").rename(tmp_path / "model.ckpt-00000-of-00002")
    assert refusal(tmp_path / "model.ckpt").code == "tensorflow-v1-checkpoint"


def test_no_index_at_all_is_told(tmp_path):
    error = refusal(tmp_path / "bert_model.ckpt")
    assert error.code == "tensorflow-no-index"
    assert "bert_model.ckpt.index" in str(error)


def test_a_pointer_file_is_named(tmp_path):
    index_file(tmp_path / "m").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    assert refusal(tmp_path / "m").code == "pointer-file"


@pytest.mark.parametrize(
    "lie",
    [
        entry((3, 5)),
        entry((3, 3)),
        entry(size=44),
        entry((1 << 40, 1 << 40), size=4),
        entry((0, 1 << 62), size=0),
        entry((-3, -4)),
        entry((1,) * 65, size=4),
        entry(size=-48),
        entry(offset=-8),
        entry(shard=1),
        entry(shard=-1),
        entry((1 << 50,), type_=7, size=48),
    ],
    ids=range(12),
)
def test_a_lie_about_size_shape_or_place_is_refused_before_anything_is_allocated(tmp_path, lie):
    prefix = index_of(tmp_path / "m", {b"x": lie})
    error = refusal(prefix)
    assert error.code == "tensorflow-false-entries"
    assert "1 entries" in str(error)
    with pytest.raises(CheckpointError):
        read_index(prefix)


def test_a_size_beyond_the_file_is_refused_before_anything_is_allocated(tmp_path):
    error = refusal(index_of(tmp_path / "m", {b"x": entry((1 << 50,), size=1 << 52)}))
    assert error.code == "tensorflow-truncated-shard"


def test_two_tensors_in_one_place_are_refused(tmp_path):
    error = refusal(index_of(tmp_path / "m", {b"x": entry(), b"y": entry((2,), offset=44, size=8)}))
    assert error.code == "tensorflow-false-entries"


def test_a_small_index_cannot_name_more_than_it_holds(tmp_path):
    row = [varint(100_000), varint(4), varint(0)]  # a key that shares 100,000 bytes with the one before
    block = varint(0) + varint(100_000) + varint(0) + b"n" * 100_000
    block += b"".join(b"".join(row) + number.to_bytes(4, "big") for number in range(1000))
    table = table_of(block)
    assert len(table) < 200_000
    index_file(tmp_path / "m").write_bytes(table)
    error = refusal(tmp_path / "m")
    assert error.code == "tensorflow-damaged-index"
    assert "too long together" in str(error)


def test_an_entry_that_reaches_beyond_its_block_is_refused(tmp_path):
    for key, value in ((1, 9), (9, 0)):
        index_file(tmp_path / "m").write_bytes(
            table_of(varint(0) + varint(0) + varint(0) + varint(0) + varint(key) + varint(value) + b"x")
        )
        assert refusal(tmp_path / "m").code == "tensorflow-damaged-index"


def table_of(entries):
    """A table whose only data block has these entries."""
    block = entries + (0).to_bytes(4, "little") + (1).to_bytes(4, "little") + b"\0"
    block += masked(crc32c(block)).to_bytes(4, "little")
    empty, index = io.BytesIO(), io.BytesIO()
    handle = varint(0) + varint(len(block) - 5)
    extensions = _write_block(empty, [], 1)
    contents = _write_block(index, [(b"z", handle)], 1)
    start = len(block) + len(empty.getvalue())
    handles = varint(len(block)) + varint(extensions) + varint(start) + varint(contents)
    return block + empty.getvalue() + index.getvalue() + handles.ljust(40, b"\0") + MAGIC


def test_names_out_of_order_are_refused(tmp_path):
    with open(index_file(tmp_path / "m"), "wb") as file:
        write_table(file, [(b"", HEADER), (b"y", entry()), (b"x", entry())])
    assert refusal(tmp_path / "m").code == "tensorflow-damaged-index"


def test_an_index_without_a_header_is_refused(tmp_path):
    with open(index_file(tmp_path / "m"), "wb") as file:
        write_table(file, [(b"x", entry())])
    assert refusal(tmp_path / "m").code == "tensorflow-damaged-index"


def test_a_type_that_no_weight_has_is_refused_when_it_is_read(tmp_path):
    error = refusal(index_of(tmp_path / "m", {b"x": entry(type_=8, size=48)}))
    assert error.code == "tensorflow-other-type"
    assert "type 8" in str(error)


def test_texts_whose_lengths_lie_are_refused(tmp_path):
    raw, checksum = pack([b"ab", b"cde"])
    assert unpack(raw, 2) == ([b"ab", b"cde"], checksum)
    for broken in (raw[:-1], raw + b"f", b"\x09" + raw[1:], b"\xff" * len(raw)):
        with pytest.raises(Malformed):
            unpack(broken, 2)
    prefix = index_of(tmp_path / "m", {b"x": entry((2,), type_=7, size=48)})
    assert refusal(prefix).code == "tensorflow-wrong-checksum"


@given(st.integers(-(1 << 63), (1 << 63) - 1))
def test_every_number_survives_as_a_varint(value):
    read, end = read_varint(varint(value) + b"more", 0)
    assert signed(read) == value
    assert end == len(varint(value))


@given(st.binary(max_size=40))
def test_no_bytes_break_the_message_reader(content):
    try:
        fields = list(read_fields(content))
    except Malformed:
        return
    assert sum(len(value) for _, value in fields if isinstance(value, bytes)) <= len(content)


def test_a_full_disk_leaves_the_older_checkpoint_whole(prefix, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    for call in (0, 1):
        calls = iter(range(9))
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", lambda _, call=call, calls=calls: full() if next(calls) >= call else None)
            with pytest.raises(MachineError, match="disk-full"):
                write_bundle(prefix, {"x": FLOATS + 1, "more": FLOATS})
        bundle = Bundle.open(prefix)
        assert np.array_equal(bundle.read("x"), FLOATS)
        assert np.array_equal(bundle.read("y/z"), FLOATS.T)
    assert len(list(prefix.parent.iterdir())) == 2


def test_a_newer_checkpoint_takes_the_place_of_an_older_one(prefix):
    write_bundle(prefix, {"x": FLOATS + 1})
    assert np.array_equal(Bundle.open(prefix).read("x"), FLOATS + 1)
    assert Bundle.open(prefix).entries.keys() == {"x"}


def test_an_empty_table_has_its_footer():
    file = io.BytesIO()
    write_table(file, [])
    assert file.getvalue().endswith(MAGIC)
