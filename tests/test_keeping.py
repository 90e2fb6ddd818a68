"""Machine code on disk: found again, and no worse than none where it is damaged, full, forbidden or off."""

import concurrent.futures
import subprocess
import sys

import pytest

pytest.importorskip("llvmlite")

from autograd.compiler.llvm import keeping as module
from autograd.compiler.llvm.keeping import kept


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("CRABGRAD_CACHE", str(tmp_path / "kept"))
    return tmp_path / "kept"


def never():
    raise AssertionError("made again")


def test_what_was_made_is_found_again(folder):
    assert kept("a", lambda: b"1") == b"1" == kept("a", never)
    assert kept("b", lambda: b"2") == b"2" == kept("b", never)
    assert len([*folder.iterdir()]) == 2


@pytest.mark.parametrize(
    "damage", [lambda x: x[:-1], lambda x: b"", lambda x: x[:40] + b"?" + x[41:], lambda x: x + b"0", lambda x: x[:10]]
)
def test_a_damaged_file_is_made_again(folder, damage):
    kept("a", lambda: b"machine code" * 10)
    (file,) = folder.iterdir()
    file.write_bytes(damage(file.read_bytes()))
    assert kept("a", lambda: b"again") == b"again" == kept("a", never)


def test_off(folder, monkeypatch):
    monkeypatch.setenv("CRABGRAD_CACHE", "off")
    assert kept("a", lambda: b"1") == b"1" and kept("a", lambda: b"2") == b"2"


def test_a_folder_that_cannot_be_is_none(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("CRABGRAD_CACHE", str(tmp_path / "file" / "kept"))
    assert kept("a", lambda: b"1") == b"1"


@pytest.mark.skipif(sys.platform == "win32", reason="rights are other ones there")
def test_a_folder_that_others_may_write_is_not_used(folder):
    folder.mkdir()
    folder.chmod(0o777)
    kept("a", lambda: b"1")
    assert not [*folder.iterdir()] and kept("a", lambda: b"2") == b"2"


def test_the_folder_stays_small(folder, monkeypatch):
    monkeypatch.setattr(module, "MOST", 1000)
    for i in range(10):
        kept(str(i), lambda: bytes(300))
    assert 0 < sum(file.stat().st_size for file in folder.iterdir()) <= 1000
    assert kept("9", never) == bytes(300)


def test_many_writers(folder):
    def work(i):
        return kept("same", lambda: bytes([i]) * 100_000)

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        results = [*pool.map(work, range(64))]
    assert all(len({*result}) == 1 and len(result) == 100_000 for result in results)
    assert kept("same", never) in results and len([*folder.iterdir()]) == 1


def test_another_process_finds_the_program(folder):
    program = """
import numpy as np
from autograd import jit
import autograd.compiler.llvm.machine as machine
def compiled(*given, make=machine._compiled):
    print("compiled")
    return make(*given)
machine._compiled = compiled
print(jit(lambda x: (x * x + 1).sum(), backend="llvm")(np.arange(3.0)))
"""
    runs = [subprocess.run([sys.executable, "-c", program], capture_output=True, text=True) for _ in range(2)]
    assert [run.stdout.split() for run in runs] == [["compiled", "8.0"], ["8.0"]], runs[0].stderr
