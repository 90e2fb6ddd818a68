"""nn.save and nn.load: every name and array comes back, every damaged or hostile file is one ValueError."""

import bz2
import errno
import itertools
import os
import struct
import tracemalloc
import zipfile
import zlib
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nn
from autograd import Tensor
from autograd.files import FORMAT

from . import hostile_files
from .demos import ROOT

NAMES = ["", *"a a.npy a.npy.npy file allow_pickle self x/ /../y b\\c é名".split(), "\x01\n", "n" * 65_531]
ARRAYS = {
    "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "strided": np.arange(12.0)[::5],
    "nothing": np.zeros((0, 3), "f4"),
    "number": np.array(1 + 2j),
    "other end": np.arange(3, dtype=">i2"),
    "text": np.array(["ä", "bc"]),
    "date": np.array(["2020-02-29"], "M8[D]"),
    "truth": np.array([[True], [False]]),
}


def assert_same(found, expected):
    assert list(found) == list(expected)
    for name, array in expected.items():
        np.testing.assert_array_equal(found[name], array, strict=True)
        assert found[name].flags.writeable


def npy(header, numbers=b"", version=(1, 0), mark=b"\x93NUMPY"):
    """An entry's content with the header as it is given."""
    return mark + bytes(version) + struct.pack("<H" if version == (1, 0) else "<I", len(header)) + header + numbers


def header(descr, shape):
    return f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}".encode()


GOOD = npy(header("'<f8'", "(2,)"), bytes(16))
LARGE = npy(header("'<f8'", "(5000,)"), bytes(40_000))


class Entry(NamedTuple):
    """What is in a zip made by hand; the sizes and the checksum are the content's if they are not given."""

    name: str
    content: bytes
    method: int = zipfile.ZIP_STORED
    flags: int = 0
    size: int | None = None
    checksum: int | None = None


def zipped(*entries):
    """A zip with anything in it, which zipfile would not write."""
    content, directory = b"", b""
    for entry in entries:
        name = entry.name.encode()
        size = len(entry.content) if entry.size is None else entry.size
        checksum = zlib.crc32(entry.content) if entry.checksum is None else entry.checksum
        wide = struct.pack("<HHQQ", 1, 16, size, len(entry.content))
        unsized = (entry.flags, entry.method, 0, 0, checksum, 0xFFFFFFFF, 0xFFFFFFFF, len(name), len(wide))
        directory += struct.pack("<4s6H3I5HII", b"PK\1\2", 45, 45, *unsized, 0, 0, 0, 0, len(content)) + name + wide
        content += struct.pack("<4s5H3I2H", b"PK\3\4", 45, *unsized) + name + wide + entry.content
    count = len(entries)
    return content + directory + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count, count, len(directory), len(content), 0)


def test_a_zip_made_by_hand_is_read(tmp_path):
    (tmp_path / "m.npz").write_bytes(zipped(Entry("a.npy", GOOD), Entry("b.npy", npy(header("'<f8'", "()"), bytes(8)))))
    assert_same(nn.load(tmp_path / "m.npz"), {"a": np.zeros(2), "b": np.array(0.0)})


def test_every_array_comes_back_and_numpy_reads_them(tmp_path):
    path = tmp_path / "m.npz"
    nn.save(path, ARRAYS)
    assert_same(nn.load(path), ARRAYS)
    assert nn.load(path)["fortran"].flags.f_contiguous
    with np.load(path, allow_pickle=False) as found:
        assert_same(dict(found), ARRAYS)
    for write in (np.savez, np.savez_compressed):
        write(path, **ARRAYS)
        assert_same(nn.load(path), ARRAYS)
    nn.save(path, {})
    assert nn.load(path) == {}


def test_every_name_comes_back(tmp_path):
    arrays = {name: np.array(i) for i, name in enumerate(NAMES)}
    nn.save(tmp_path / "m.npz", arrays)
    assert_same(nn.load(tmp_path / "m.npz"), arrays)
    with np.load(tmp_path / "m.npz", allow_pickle=False) as found:
        assert found.files == NAMES


@settings(max_examples=200)
@given(st.lists(st.text(st.characters(codec=None, categories=None) | st.sampled_from("a./\\\0")), max_size=3))
def test_any_name_comes_back_or_is_refused(tmp_path_factory, names):
    path = tmp_path_factory.getbasetemp() / "names.npz"
    path.unlink(missing_ok=True)
    arrays = {name: np.array(i) for i, name in enumerate(names)}
    try:
        nn.save(path, arrays)
    except ValueError as error:
        assert "choose another" in str(error) and not path.exists()
        assert any(c == "\0" or "\ud800" <= c <= "\udfff" for name in names for c in name)
    else:
        assert_same(nn.load(path), arrays)


@pytest.mark.parametrize(
    "what, error, message",
    [
        ({"a\0b": 1.0}, ValueError, r"cannot hold the name 'a\\x00b'.*choose another, without NUL"),
        ({"\udc80": 1.0}, ValueError, r"'\\udc80' has half a character"),
        ({"é" * 32_766: 1.0}, ValueError, r"of 65,532 bytes.*at most 65,531"),
        ({1: 1.0}, TypeError, "a name is text, not 1"),
        ({"a": 1.0, "b": [{}]}, TypeError, "b holds Python objects; a file holds numbers and text only"),
        ({"a": np.zeros(2, "f8,i4")}, TypeError, "numbers and text only"),
        ({"a": Tensor([1.0])}, TypeError, "Tensor"),
        ({"a": ["text", 1]}, TypeError, "a would come back as .'text', '1'.: keep texts apart from others"),
        ({"a": "end\0"}, TypeError, "a would come back as 'end': .* without NUL"),
        ([1.0], TypeError, "list is neither a Module nor a dict"),
    ],
)
def test_save_refuses_before_it_writes(tmp_path, what, error, message):
    with pytest.raises(error, match=message):
        nn.save(tmp_path / "m.npz", what)
    assert not list(tmp_path.iterdir())


def test_a_module_takes_over_all_or_nothing(tmp_path):
    model, path = nn.MLP(2, [3], 1, rng=0), tmp_path / "m.npz"
    nn.save(path, model)
    other = nn.MLP(2, [3], 1, rng=1)
    nn.load(path, other, limit=0)  # a module's own size is no bomb
    assert_same(other.state_dict(), model.state_dict())
    state = model.state_dict()
    for arrays, message in (
        ({"x": np.ones(2)}, "the state has no layers.0.bias, "),
        ({**state, "x": np.ones(2)}, "the state has x, which is unknown here"),
        ({**state, "layers.2.bias": np.ones(4)}, r"layers.2.bias is float64 of shape \(4,\).*of shape \(1,\)"),
        ({**state, "layers.2.bias": np.ones(1, "f4")}, "float32 of shape"),
    ):
        nn.save(path, {name: array + 1 for name, array in arrays.items()})
        with pytest.raises(ValueError, match=f"m.npz for MLP: .*{message}"):
            nn.load(path, other)
    nn.save(path, {name: array + 1 for name, array in state.items()})
    whole = bytearray(path.read_bytes())
    whole[whole.index(b"PK\1\2") - 1] ^= 1  # the last number: the others have been read
    path.write_bytes(whole)
    with pytest.raises(ValueError, match="CRC"):
        nn.load(path, other)
    assert_same(other.state_dict(), model.state_dict())


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_damage_is_refused_or_changes_nothing(tmp_path, method):
    path, arrays = tmp_path / "m.npz", {"a": np.arange(2.0), "é": np.ones((2, 2), "f4", order="F")}
    nn.save(path, arrays)
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in contents.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    whole, loaded = path.read_bytes(), 0
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        with pytest.raises(ValueError, match="m.npz is not a file of arrays"):
            nn.load(path)
    for at in range(len(whole)):
        for flip in (1, 2, 8, 64, 128, 255):
            path.write_bytes(whole[:at] + bytes([whole[at] ^ flip]) + whole[at + 1 :])
            try:
                assert_same(nn.load(path), arrays)
                loaded += 1
            except ValueError as error:
                assert str(path) in str(error)
    assert loaded < 0.4 * 6 * len(whole)  # dates, attributes and the second copy of what is said twice


def test_a_draw_of_hostile_files(tmp_path):
    subject = hostile_files.Subject(tmp_path)
    for name, whole in subject.whole.items():
        assert subject.is_read(name, whole)
        for contents in (
            hostile_files.cut(whole),
            hostile_files.flipped(whole, [1]),
            hostile_files.mixed(whole, 1, 0.3),
        ):
            for content in itertools.islice(contents, 0, None, 11):
                subject.is_read(name, content)


@pytest.mark.parametrize("format", range(1, FORMAT + 1))
def test_a_file_of_each_format_is_loaded(format):
    assert_same(nn.load(ROOT / "tests" / "formats" / f"{format}.npz"), ARRAYS)


def test_a_newer_format_says_so(tmp_path):
    path = tmp_path / "m.npz"
    nn.save(path, {"a": np.arange(2.0)})
    assert path.read_bytes().endswith(f"crabgrad {FORMAT}".encode())
    newer = path.read_bytes()[:-1] + str(FORMAT + 1).encode()
    for content, message in ((newer, f"it has the format {FORMAT + 1}, of a newer"), (newer[:-1] + b"x", "whole file")):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=message):
            nn.load(path)


def test_nan_is_a_warning_that_names_it(tmp_path):
    model, path = nn.Linear(2, 1, rng=0), tmp_path / "m.npz"
    nn.save(path, {"weight": np.array([[np.nan], [1.0]]), "bias": np.array([np.inf])})
    with pytest.warns(RuntimeWarning, match="m.npz has NaN in weight$") as heard:
        nn.load(path, model)
    assert heard[0].filename == __file__ and np.isnan(model.weight.data[0])
    assert np.isnan(nn.load(path)["weight"][0])  # numbers of any kind


def test_a_count_of_steps_below_0_is_refused(tmp_path):
    optimizer = nn.Adam(nn.Linear(1, 1, rng=0).parameters())
    with pytest.raises(ValueError, match="Adam: the number of steps must be a positive integer or 0, not -1"):
        optimizer.load_state_dict({**optimizer.state_dict(), "steps": np.array(-1)})


def test_the_rest_of_a_file_with_a_file_inside_is_refused(tmp_path):
    path = tmp_path / "m.npz"
    nn.save(path, {"a": np.arange(2.0)})
    nn.save(path, {"inner": np.frombuffer(path.read_bytes(), np.uint8)})
    whole = path.read_bytes()
    beginning, unmarked = whole[: whole.index(b"PK\5\6") + 22], bytes(4) + whole[-18:]
    for cut in (beginning, whole + unmarked, whole + b"more", b"more" + whole):
        path.write_bytes(cut)
        with pytest.raises(ValueError, match="not the whole file"):
            nn.load(path)


HOSTILE = {
    "text": (b"text", "not a zip file"),
    "empty": (b"", "not a zip file"),
    "single array": (GOOD, "not a zip file"),
    "another name": (zipped(Entry("a.txt", GOOD)), "'a.txt' is not called NAME.npy"),
    "no name": (zipped(Entry("", GOOD)), "'' is not called NAME.npy"),
    "folder": (zipped(Entry("a.npy/", b"")), "is not called NAME.npy"),
    "not UTF-8": (zipped(Entry("é.npy", GOOD)), "in UTF-8"),
    "twice": (zipped(Entry("a.npy", GOOD), Entry("a.npy", GOOD)), "two arrays 'a'"),
    "nested zip": (zipped(Entry("a.npy", zipped(Entry("a.npy", GOOD)))), "magic string"),
    "encrypted": (zipped(Entry("a.npy", GOOD, flags=1)), "encrypted"),
    "bzip2": (zipped(Entry("a.npy", bz2.compress(GOOD), zipfile.ZIP_BZIP2, 0, len(GOOD))), "method 12, not stored"),
    "method": (zipped(Entry("a.npy", GOOD, 99)), "method 99"),
    "no deflate": (zipped(Entry("a.npy", GOOD, zipfile.ZIP_DEFLATED)), ""),
    "checksum": (zipped(Entry("a.npy", GOOD, checksum=1)), "CRC"),
    "shorter": (zipped(Entry("a.npy", GOOD[:-1])), "has 15 bytes of numbers, expected 16"),
    "longer": (zipped(Entry("a.npy", GOOD + b"x")), "has 17 bytes of numbers, expected 16"),
    "less": (zipped(Entry("a.npy", GOOD[:-1], size=len(GOOD))), "a.npy has more or less than its 16 bytes"),
    "more": (zipped(Entry("a.npy", LARGE + b"x", size=len(LARGE))), "a.npy has more or less than its 40,000 bytes"),
    "no content": (zipped(Entry("a.npy", b"")), "magic string"),
    "mark": (zipped(Entry("a.npy", npy(b"", mark=b"\x93NUMPX"))), "magic string"),
    "version": (zipped(Entry("a.npy", npy(b"", version=(4, 0)))), r"version \(4, 0\)"),
    "long header": (zipped(Entry("a.npy", npy(b" " * 9_000_000, version=(2, 0)))), "array header"),
    "no header": (zipped(Entry("a.npy", npy(b""))), "header"),
    "unclosed": (zipped(Entry("a.npy", npy(b"{'descr': ('"))), ""),
    "deep": (zipped(Entry("a.npy", npy(b"-" * 9000 + b"1"))), ""),
    "no dict": (zipped(Entry("a.npy", npy(b"1"))), "dictionary"),
    "keys": (zipped(Entry("a.npy", npy(b"{}"))), "keys"),
    "escape": (zipped(Entry("a.npy", npy(header(r"'\d'", "()")))), ""),
    "Python 2": (zipped(Entry("a.npy", npy(header("'<f8'", "(2L,)"), bytes(16)))), "Python 2"),
    **{
        f"dtype {descr}": (zipped(Entry("a.npy", npy(header(descr, "(2,)"), bytes(16)))), message)
        for descr, message in {
            "'|O'": "Python objects",
            "[('x', '|O')]": "Python objects",
            "'<f9'": "",
            "'<a8'": "",
            "None": "",
            "[1]": "",
            "('<f8', (2, -1))": "",
        }.items()
    },
    **{
        f"shape {shape}": (zipped(Entry("a.npy", npy(header("'<f8'", shape), bytes(16)))), message)
        for shape, message in {
            "(-2,)": "the shape",
            "(-1, -2)": "the shape",
            "(True, 2)": "the shape",
            "(2.0,)": "shape is not valid",
            "2": "shape is not valid",
            "(2**62, 4)": "",
            "(4611686018427387904, 4)": "expected 147,573,952,589,676,412,928",
            f"({10**40},)": "expected 8",
        }.items()
    },
    "shape of nothing": (zipped(Entry("a.npy", npy(header("'<f8'", "(0, 4611686018427387904)")))), ""),
    "dimensions": (zipped(Entry("a.npy", npy(header("'<f8'", (1,) * 65), bytes(8)))), ""),
}


@pytest.mark.parametrize("content, message", HOSTILE.values(), ids=HOSTILE)
def test_hostile_files_are_one_value_error(tmp_path, content, message):
    path = tmp_path / "m.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"m.npz is not a file of arrays that nn.load reads: (?s:.*){message}"):
        nn.load(path)


def bomb(name, start, zeros, size):
    """An entry of so many zeros, which are deflated to a thousandth in no time: one block over and over."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = packer.compress(start) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(10**6)) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = zlib.crc32((start + bytes(16))[:size])  # right for the small ones
    return Entry(name, first + block * (zeros // 10**6) + packer.flush(), zipfile.ZIP_DEFLATED, 0, size, checksum)


HUGE, SMALL = npy(header("'<f8'", "(1250000000,)")), npy(header("'<f8'", "(2, 1)"))
PIECE = npy(header("'<f8'", "(125000,)"))
SPACES = npy(b"", version=(2, 0))[:-4] + b"\xff" * 4
BOMBS = {
    "declared": ([bomb("weight.npy", HUGE, 10**10, len(HUGE) + 10**10)], r"10,000,000,000 bytes, more than limit=1,0"),
    "in pieces": ([bomb(f"{i}.npy", PIECE, 10**6, len(PIECE) + 10**6) for i in range(1100)], "1,100,000,000 bytes"),
    "in the array only": ([bomb("weight.npy", HUGE, 10**10, len(HUGE) + 16)], "has 16 bytes of numbers, expected 10,"),
    "in the zip only": ([bomb("weight.npy", SMALL, 10**10, len(SMALL) + 10**10)], "bytes of numbers, expected 16"),
    "nowhere": ([bomb("weight.npy", SMALL, 10**10, len(SMALL) + 16)], "CRC"),
    "in a header": ([bomb("weight.npy", SPACES, 10**10, len(SPACES) + 10**10)], "array header"),
    "no array": ([bomb("weight.npy", b"", 10**10, 10**10)], "magic string"),
}


@pytest.mark.parametrize("entries, message", BOMBS.values(), ids=BOMBS)
@pytest.mark.parametrize("module", [None, nn.Linear(2, 1, rng=0)], ids=["alone", "module"])
def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path, entries, message, module):
    path = tmp_path / "m.npz"
    path.write_bytes(zipped(*entries))
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=message if module is None else f"{message}|the state has no bias"):
            nn.load(path, module)
        assert tracemalloc.get_traced_memory()[1] < 10e6
    finally:
        tracemalloc.stop()


def test_the_limit_is_of_all_arrays_together(tmp_path):
    path, arrays = tmp_path / "m.npz", {"a": np.zeros(10), "b": np.zeros(10, "f4")}
    nn.save(path, arrays)
    assert_same(nn.load(path, limit=120), arrays)
    with pytest.raises(ValueError, match=r"m.npz holds 120 bytes, more than limit=119: give a larger limit="):
        nn.load(path, limit=119)


def test_what_is_not_there_is_an_oserror(tmp_path):
    with pytest.raises(FileNotFoundError):
        nn.load(tmp_path / "m.npz")
    with pytest.raises(OSError):
        nn.load(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="paths are others on Windows")
def test_a_file_takes_no_others_place(tmp_path):
    path, link, long = tmp_path / "m.npz", tmp_path / "link", os.fsencode(tmp_path / ("é" * 125 + ".npz"))
    link.symlink_to(path)
    before = os.umask(0o077)
    try:
        for name in (link, path, long):
            nn.save(name, {"a": np.zeros(2)})
            assert os.stat(name).st_mode & 0o777 == 0o600
    finally:
        os.umask(before)
    path.chmod(0o640)
    nn.save(link, {"a": np.ones(2)})
    assert link.is_symlink() and path.stat().st_mode & 0o777 == 0o640
    assert_same(nn.load(path), {"a": np.ones(2)})
    os.mkfifo(tmp_path / "pipe")
    for other, error in ((tmp_path / "pipe", FileExistsError), (tmp_path, IsADirectoryError)):
        with pytest.raises(error, match=other.name):
            nn.save(other, {"a": np.zeros(2)})
    assert len(list(tmp_path.iterdir())) == 4


def test_a_failed_save_leaves_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "m.npz"
    nn.save(path, {"a": np.zeros(2)})

    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        nn.save(path, {"b": np.ones(2)})
    assert_same(nn.load(path), {"a": np.zeros(2)})
    assert list(tmp_path.iterdir()) == [path]
