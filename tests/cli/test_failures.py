import errno
import re
import subprocess
import sys
from pathlib import Path

import pytest
from fake_jobs import FakeJob, put_in_place

from bertsmith.cli.main import main
from bertsmith.errors import CheckpointError, DataError, Interrupted, MachineError, RunFolderError


def run(monkeypatch, error):
    put_in_place(monkeypatch, "pretrain", FakeJob(error=error))
    return main(["pretrain", "my store"])


@pytest.mark.parametrize(
    ("kind", "exit_code"), [(DataError, 3), (CheckpointError, 4), (RunFolderError, 4), (MachineError, 5), (Interrupted, 130)]
)
def test_an_error_of_a_persons_making_sets_the_exit_code_of_its_class(monkeypatch, kind, exit_code, capsys):
    assert run(monkeypatch, kind("some-code", "the {thing} is wrong", do="mend it", where="a.csv:3", thing="row")) == exit_code
    out, err = capsys.readouterr()
    assert out == "" and "a.csv:3: the row is wrong [some-code]\n  → mend it\n" in err


def test_several_faults_are_all_shown(monkeypatch, capsys):
    run(monkeypatch, DataError.all_of([DataError("c", f"fault {n}", do="mend it") for n in range(3)]))
    err = capsys.readouterr().err
    assert "3 faults" in err and all(f"fault {n}" in err for n in range(3))


def test_ctrl_c_ends_with_130_and_says_how_to_go_on(monkeypatch, capsys):
    assert run(monkeypatch, KeyboardInterrupt()) == 130
    err = capsys.readouterr().err
    assert "bertsmith pretrain 'my store'" in err and "Traceback" not in err


def test_a_fault_of_the_program_is_short_and_keeps_its_traceback_in_a_file(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert run(monkeypatch, ZeroDivisionError("division by zero")) == 1
    err = capsys.readouterr().err
    assert "this is a fault of bertsmith" in err and "Traceback" not in err
    file = Path(re.search(r"with the file (\S+)", err).group(1))
    assert file.parent == tmp_path and "Traceback" in file.read_text(encoding="utf-8")


def test_a_fault_of_the_program_shows_its_traceback_when_asked(monkeypatch, capsys):
    monkeypatch.setenv("BERTSMITH_DEBUG", "1")
    assert run(monkeypatch, ZeroDivisionError("division by zero")) == 1
    assert "Traceback" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "exit_code", "code"),
    [
        (MemoryError(), 5, "out-of-memory"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"), 5, "out-of-memory"),
        (OSError(errno.ENOSPC, "No space left on device", "state"), 5, "disk-full"),
        (FileNotFoundError(errno.ENOENT, "No such file or directory", "a.txt"), 3, "cannot-open"),
        (PermissionError(errno.EACCES, "Permission denied", "a.txt"), 3, "cannot-open"),
        (ModuleNotFoundError("No module named 'sklearn.svm'", name="sklearn.svm"), 5, "missing-package"),
    ],
)
def test_what_the_machine_refuses_is_no_fault_of_the_program(monkeypatch, error, exit_code, code, capsys):
    assert run(monkeypatch, error) == exit_code
    err = capsys.readouterr().err
    assert f"[{code}]" in err and "Traceback" not in err


@pytest.mark.parametrize("error", [RuntimeError("shapes differ"), ModuleNotFoundError("x", name="bertsmith.no.such")])
def test_other_exceptions_are_faults_of_the_program(monkeypatch, error, tmp_path, capsys):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert run(monkeypatch, error) == 1


def test_a_reader_that_goes_away_is_no_error():
    command = [
        sys.executable,
        "-c",
        "import sys; from bertsmith.cli.main import main; sys.exit(main(['config', 'show', 'base']))",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141
