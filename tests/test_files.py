"""Files are whole or not there."""

import errno
import os
import signal
import subprocess
import sys
import time

import pytest

from bertsmith.errors import MachineError
from bertsmith.files import json_text, sha256, sha256_of, write_aside, write_folder_aside, write_json


def raise_full(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_file_is_written_with_its_folder(tmp_path):
    with write_aside(tmp_path / "a" / "b.txt") as file:
        file.write("好\n")
    assert (tmp_path / "a" / "b.txt").read_bytes() == "好\n".encode()


def test_bytes_are_written_as_they_are(tmp_path):
    with write_aside(tmp_path / "b", "wb") as file:
        file.write(b"\x00\r\n")
    assert (tmp_path / "b").read_bytes() == b"\x00\r\n"


def test_the_old_file_stands_until_the_new_one_is_complete(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with write_aside(path) as file:
        file.write("new")
        file.flush()
        assert path.read_text() == "old"
    assert path.read_text() == "new"


def test_a_failure_while_writing_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), write_aside(path) as file:
        file.write(str(1 / 0))
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_one_clear_error_and_the_old_file_stands(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_text("old")
    monkeypatch.setattr(os, "fsync", raise_full)
    with pytest.raises(MachineError, match="no space left") as caught, write_aside(path) as file:
        file.write("new")
    assert caught.value.code == "disk-full"
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("place", ["file/below.txt", "file/far/below.txt"])
def test_a_place_below_a_file_is_one_clear_error(tmp_path, place):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(MachineError) as caught, write_aside(tmp_path / place) as file:
        file.write("new")
    assert caught.value.code == "cannot-write"


def test_a_folder_in_the_place_of_a_file_is_one_clear_error(tmp_path):
    with pytest.raises(MachineError, match="cannot-write"), write_aside(tmp_path) as file:
        file.write("new")
    assert tmp_path.is_dir()


def test_other_errors_keep_their_kind(tmp_path):
    with pytest.raises(FileNotFoundError), write_aside(tmp_path / "a") as file:
        file.write((tmp_path / "absent").read_text())


def test_a_folder_takes_the_place_of_the_old_one_as_a_whole(tmp_path):
    place = tmp_path / "model"
    for content in ("old", "new"):
        with write_folder_aside(place) as folder:
            (folder / f"{content}.txt").write_text(content)
    assert [file.name for file in place.iterdir()] == ["new.txt"]
    assert list(tmp_path.iterdir()) == [place]


def test_a_failure_while_filling_a_folder_leaves_the_old_one(tmp_path, monkeypatch):
    place = tmp_path / "model"
    with write_folder_aside(place) as folder:
        (folder / "a.txt").write_text("old")
    monkeypatch.setattr(os, "fsync", raise_full)
    with pytest.raises(MachineError, match="disk-full"), write_folder_aside(place) as folder:
        (folder / "a.txt").write_text("new")
    assert (place / "a.txt").read_text() == "old"
    assert list(tmp_path.iterdir()) == [place]


def test_a_folder_moved_aside_by_a_killed_write_comes_back(tmp_path, monkeypatch):
    place = tmp_path / "model"
    with write_folder_aside(place) as folder:
        (folder / "a.txt").write_text("old")
    place.rename(tmp_path / ".aside-old-model")  # where a kill between the two renames leaves it
    with pytest.raises(ZeroDivisionError), write_folder_aside(place):
        raise ZeroDivisionError
    assert (place / "a.txt").read_text() == "old"


WRITER = """
import sys
from pathlib import Path
from bertsmith.files import write_aside
while True:
    for letter in "ab":
        with write_aside(Path(sys.argv[1])) as file:
            file.write(letter * 3_000_000)
"""


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_a_kill_at_any_moment_leaves_a_whole_file(tmp_path):
    path = tmp_path / "a.txt"
    for kill in range(3):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)])
        while not path.exists():
            time.sleep(0.01)
        time.sleep(0.05 + 0.017 * kill)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        content = path.read_text()
        assert len(content) == 3_000_000
        assert content in (content[0] * 3_000_000,)
        path.unlink()


def test_json_is_readable_in_every_script(tmp_path):
    write_json(tmp_path / "a.json", {"标签": "好"})
    assert (tmp_path / "a.json").read_text(encoding="utf-8") == json_text({"标签": "好"}) == '{\n  "标签": "好"\n}\n'


def test_the_hash_of_a_file_is_that_of_its_bytes(tmp_path):
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256(tmp_path / "a") == sha256_of(b"abc")
    assert sha256_of(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_second_writer_of_a_folder_is_told_so_and_the_first_one_ends_well(tmp_path):
    place = tmp_path / "model"
    with write_folder_aside(place) as folder:
        (folder / "a").write_text("first")
        with pytest.raises(MachineError) as caught, write_folder_aside(place) as other:
            (other / "a").write_text("second")
    assert caught.value.code == "being-written"
    assert (place / "a").read_text() == "first"
    assert list(tmp_path.iterdir()) == [place]


def test_a_link_stays_and_the_folder_behind_it_is_replaced(tmp_path):
    real, link = tmp_path / "real", tmp_path / "link"
    real.mkdir()
    link.symlink_to(real)
    with write_folder_aside(link) as folder:
        (folder / "a").write_text("new")
    assert link.is_symlink()
    assert (real / "a").read_text() == "new"
    assert sorted(tmp_path.iterdir()) == [link, real]


def test_a_name_that_is_too_long_is_one_clear_error(tmp_path):
    with pytest.raises(MachineError) as caught, write_folder_aside(tmp_path / ("x" * 254)):
        pass
    assert caught.value.code == "cannot-write"
