"""Pickles are made into safetensors in a process of their own, and nothing in them is executed."""

import json
import pickle
import subprocess

import numpy as np
import pytest
from tiny_checkpoint import checkpoint

from bertsmith.checkpoints import pickled
from bertsmith.checkpoints.pickled import INDEX, SINGLE, find_pickles, unpickled
from bertsmith.errors import CheckpointError

torch = pytest.importorskip("torch")


def tensors():
    return {name: torch.from_numpy(array) for name, array in checkpoint().arrays.items()}


def read(files):
    with unpickled(files) as stored:
        return {name: array.read() for name, array in stored.items()}


def refusal(file):
    with pytest.raises(CheckpointError) as caught:
        read([file])
    assert str(file) in str(caught.value)
    return caught.value


@pytest.mark.parametrize("wrap", [lambda t: t, lambda t: {"state_dict": t, "epoch": 3}, lambda t: {"model_state_dict": t}])
def test_the_tensors_of_a_pickle_are_read(tmp_path, wrap):
    torch.save(wrap(tensors()), tmp_path / SINGLE)
    found = read(find_pickles(tmp_path))
    assert all(np.array_equal(found[name], array) for name, array in checkpoint().arrays.items())


def test_the_format_before_pytorch_1_6_is_read(tmp_path):
    torch.save(tensors(), tmp_path / SINGLE, _use_new_zipfile_serialization=False)
    assert read(find_pickles(tmp_path)).keys() == checkpoint().arrays.keys()


def test_tied_tensors_that_share_memory_are_read(tmp_path):
    table = torch.ones(3, 2)
    torch.save({"a": table, "b": table}, tmp_path / SINGLE)
    assert np.array_equal(read([tmp_path / SINGLE])["b"], np.ones((3, 2)))


def test_shards_are_read_together(tmp_path):
    names = list(tensors())
    for number, part in enumerate((names[:5], names[5:])):
        torch.save({name: tensors()[name] for name in part}, tmp_path / f"part-{number}.bin")
    index = {name: f"part-{int(name not in names[:5])}.bin" for name in names}
    (tmp_path / INDEX).write_text(json.dumps({"weight_map": index}))
    assert read(find_pickles(tmp_path)).keys() == set(names)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("no json", "damaged-index"),
        (json.dumps({"weight_map": {"a": "../secret.bin"}}), "damaged-index"),
        (json.dumps({"weight_map": {"a": "gone.bin"}}), "missing-shards"),
    ],
)
def test_an_index_that_cannot_be_used_is_refused(tmp_path, content, code):
    (tmp_path / INDEX).write_text(content)
    with pytest.raises(CheckpointError) as caught:
        find_pickles(tmp_path)
    assert caught.value.code == code


class Payload:
    """What a pickle runs when it is loaded by a reader that trusts it."""

    def __init__(self, place):
        self.place = place

    def __reduce__(self):
        return (open, (str(self.place), "w"))


@pytest.mark.parametrize("save", [torch.save, lambda value, file: file.write_bytes(pickle.dumps(value))])
def test_a_payload_is_not_executed(tmp_path, save):
    place = tmp_path / "executed"
    save({"weights": torch.ones(2), "payload": Payload(place)}, tmp_path / SINGLE)
    error = refusal(tmp_path / SINGLE)
    assert error.code == "pickle-refused"
    assert not place.exists()
    # the payload is a real one: a reader that trusts it runs it
    torch.load(tmp_path / SINGLE, weights_only=False) if save is torch.save else pickle.loads((tmp_path / SINGLE).read_bytes())
    assert place.exists()


def test_this_process_never_opens_the_pickle(tmp_path, monkeypatch):
    torch.save(tensors(), tmp_path / SINGLE)
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("opened here"))
    monkeypatch.setattr(pickle, "load", lambda *_, **__: pytest.fail("opened here"))
    assert read([tmp_path / SINGLE])


def test_the_process_gets_no_secrets(tmp_path, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "secret")
    torch.save(tensors(), tmp_path / SINGLE)
    seen = {}

    def run(*words, env, **more):
        seen.update(env)
        return actual(*words, env=env, **more)

    actual = subprocess.run
    monkeypatch.setattr(pickled.subprocess, "run", run)
    read([tmp_path / SINGLE])
    assert "PATH" in seen
    assert "HF_TOKEN" not in seen


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 half", b"not a pickle", b"\x80\x02half"])
def test_a_damaged_pickle_is_refused(tmp_path, content):
    (tmp_path / SINGLE).write_bytes(content)
    assert refusal(tmp_path / SINGLE).code in ("pickle-unreadable", "pickle-refused")


@pytest.mark.parametrize("content", [{}, {"epoch": 3}, [1, 2]])
def test_a_pickle_without_tensors_is_refused(tmp_path, content):
    torch.save(content, tmp_path / SINGLE)
    assert refusal(tmp_path / SINGLE).code == "no-tensors"
