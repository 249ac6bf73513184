"""Names as models, with a hub that the tests make up."""

import socket

import huggingface_hub
import huggingface_hub.constants
import pytest
from tiny_checkpoint import checkpoint

from bertsmith.checkpoints.folder import read_model_folder, write_model_folder
from bertsmith.checkpoints.hub import fetched, hub_name
from bertsmith.errors import CheckpointError

REVISION = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(autouse=True)
def online(monkeypatch):
    """Whatever the environment says, the network may be asked."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)


@pytest.fixture
def snapshot(tmp_path):
    """The folder of a revision, as the cache has it."""
    folder = tmp_path / "cache" / "snapshots" / REVISION
    write_model_folder(folder, checkpoint(), language="en", card={})
    (folder / "bertsmith.json").unlink()
    return folder


class Hub:
    """A hub with one model; it may be out of reach, and its cache empty."""

    def __init__(self, folder, *, reachable=True, cached=True):
        self.folder, self.reachable, self.cached, self.asked = folder, reachable, cached, []

    def __call__(self, name, *, allow_patterns, local_files_only):
        self.asked.append((name, local_files_only))
        assert not any(pattern.endswith((".bin", ".h5", ".pkl")) for pattern in allow_patterns)
        if not (self.cached if local_files_only else self.reachable):
            raise OSError("no route")
        return str(self.folder)


def put_in_place(monkeypatch, hub):
    monkeypatch.setattr(huggingface_hub, "snapshot_download", hub)
    return hub


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("bert-base-chinese", "google-bert/bert-base-chinese"),
        ("hfl/rbt3", "hfl/rbt3"),
        ("./hfl/rbt3", None),
        ("/hfl/rbt3", None),
        ("hfl/rbt3/model", None),
        ("base", None),
        ("model.json", None),
        ("configs/new.json", None),
        ("../up", None),
    ],
)
def test_a_name_is_told_from_a_path(model, name):
    assert hub_name(model) == name


def test_a_folder_that_is_there_is_no_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bert-base-chinese").mkdir()
    (tmp_path / "runs").mkdir()
    assert hub_name("bert-base-chinese") is None
    assert hub_name("runs/gone") is None


def test_a_named_model_opens_and_its_revision_is_recorded(snapshot, monkeypatch):
    hub = put_in_place(monkeypatch, Hub(snapshot))
    notes = []
    read = read_model_folder("bert-base-chinese", listen=notes.append)
    assert hub.asked == [("google-bert/bert-base-chinese", False)]
    assert read.about["origin"] == {"hub": "google-bert/bert-base-chinese", "revision": REVISION}
    assert [note.code for note in notes] == ["asking-hub", "model-of-hub"]
    assert REVISION in notes[1].text()


def test_without_a_network_the_cache_is_used_and_told(snapshot, monkeypatch):
    hub = put_in_place(monkeypatch, Hub(snapshot, reachable=False))
    notes = []
    assert fetched("hfl/rbt3", listen=notes.append) == (snapshot, REVISION)
    assert hub.asked == [("hfl/rbt3", False), ("hfl/rbt3", True)]
    assert [note.code for note in notes] == ["asking-hub", "model-from-cache", "model-of-hub"]


def test_offline_the_network_is_not_even_tried(snapshot, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    hub = put_in_place(monkeypatch, Hub(snapshot))
    fetched("hfl/rbt3")
    assert hub.asked == [("hfl/rbt3", True)]


def test_where_neither_has_it_the_ways_that_remain_are_named(snapshot, monkeypatch):
    put_in_place(monkeypatch, Hub(snapshot, reachable=False, cached=False))
    monkeypatch.setattr(huggingface_hub.constants, "ENDPOINT", "https://mirror.example")
    with pytest.raises(CheckpointError) as caught:
        read_model_folder("hfl/gone")
    assert caught.value.code == "no-such-model-anywhere"
    for way in ("https://mirror.example", "HF_ENDPOINT", "copy the model's folder", "no route"):
        assert way in str(caught.value)


def test_a_model_without_safetensors_is_refused(snapshot, monkeypatch):
    (snapshot / "model.safetensors").unlink()
    put_in_place(monkeypatch, Hub(snapshot))
    with pytest.raises(CheckpointError, match="safetensors") as caught:
        fetched("hfl/rbt3")
    assert caught.value.code == "hub-without-safetensors"


def test_the_real_library_without_a_network_ends_in_one_clear_error(tmp_path, monkeypatch):
    def blocked(*_args, **_more):
        raise OSError("the network is blocked")

    monkeypatch.setattr(socket.socket, "connect", blocked)
    monkeypatch.setattr(socket, "getaddrinfo", blocked)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(CheckpointError) as caught:
        fetched("hfl/rbt3")
    assert caught.value.code == "no-such-model-anywhere"


def test_a_config_is_fetched_without_the_weights(snapshot, monkeypatch):
    from bertsmith.jobs.config_source import named_config

    asked = []
    (snapshot / "model.safetensors").unlink()
    monkeypatch.setattr(
        huggingface_hub, "snapshot_download", lambda _name, **more: asked.extend(more["allow_patterns"]) or str(snapshot)
    )
    assert named_config("hfl/rbt3", listen=lambda _event: None).config == checkpoint().config
    assert "config.json" in asked
    assert not any("safetensors" in pattern for pattern in asked)
