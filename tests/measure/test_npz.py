"""One array of a file: read as NumPy reads it, or refused before its numbers are touched."""

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from repro.errors import InputError
from repro.measure.npz import read_array, read_npy

KINDS = st.sampled_from(["<f4", "<f8", ">f8", "<f2", "<i4", "|u1", "|b1", "<U3"])


@given(
    array=KINDS.flatmap(
        lambda kind: arrays.arrays(kind, arrays.array_shapes(max_dims=3, max_side=4))
    ),
    packed=st.booleans(),
)
@settings(max_examples=60)
def test_what_was_saved_is_read(
    tmp_path_factory: pytest.TempPathFactory, array: Any, packed: bool
) -> None:
    home = tmp_path_factory.mktemp("arrays")
    (np.savez_compressed if packed else np.savez)(home / "x.npz", other=np.ones(2), mine=array)
    np.save(home / "x.npy", array)
    for found in (read_array(home / "x.npz", "mine"), read_npy(home / "x.npy")):
        assert found.dtype == array.dtype
        np.testing.assert_array_equal(found, array)


def saved(array: Any) -> bytes:
    """Return the bytes of an npy file."""
    held = io.BytesIO()
    np.save(held, array)
    return held.getvalue()


def test_an_absent_key_is_told_with_those_that_are_there(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", a=np.ones(2), b=np.ones(2))
    with pytest.raises(InputError) as refused:
        read_array(tmp_path / "x.npz", "c")
    assert str(refused.value) == (
        f"{tmp_path / 'x.npz'}: keys are ['a', 'b']; expected 'c'. Save it with that name."
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (saved(np.ones(4))[:60], "it ends inside its header (60 bytes are there)"),
        (saved(np.ones(4))[:8], "it ends inside its header (8 bytes are there)"),
        (saved(np.ones(4))[:-8], "its header speaks of 32 bytes, 24 are there"),
        (saved(np.ones(4)) + b"more", "its header speaks of 32 bytes, 36 are there"),
        (b"\x93NUMPY\x09\x00" + saved(np.ones(4))[8:], "it holds no array of NumPy's"),
        (b"plain text", "it holds no array of NumPy's"),
        (b"", "it holds no array of NumPy's"),
        (saved(np.ones(4)).replace(b"(4,)", b"(-4)"), "its header says shape -4, which is none"),
        (saved(np.array([{}, []], dtype=object)), "cannot be read as np"),
        (
            b"\x93NUMPY\x01\x00\xff\xff" + b" " * 70_000,
            "its header has 65,535 bytes, expected 4,096",
        ),
    ],
)
def test_what_is_no_array_is_refused_in_both_kinds_of_file(
    tmp_path: Path, content: bytes, words: str
) -> None:
    npy, npz = tmp_path / "x.npy", tmp_path / "x.npz"
    npy.write_bytes(content)
    with zipfile.ZipFile(npz, "w") as archive:
        archive.writestr("mine.npy", content)
    for file, read, save in (
        (npy, read_npy, "np.save"),
        (npz, lambda p: read_array(p, "mine"), "np.savez"),
    ):
        with pytest.raises(InputError) as refused:
            read(file)
        message = str(refused.value)
        assert message.startswith(f"{file}: ")
        assert words in message
        assert "\n" not in message
        assert message.count(str(file)) == 1
        assert save in message or "cannot be read" in message


def test_a_header_that_promises_more_than_memory_holds_is_refused_by_what_is_there(
    tmp_path: Path,
) -> None:
    content = saved(np.ones(4)).replace(b"(4,), }      ", b"(4000000000,), }")
    assert len(content) > len(saved(np.ones(4)))
    length = int.from_bytes(content[8:10], "little") + 3
    (tmp_path / "x.npy").write_bytes(content[:8] + length.to_bytes(2, "little") + content[10:])
    with pytest.raises(InputError, match=r"speaks of 32,000,000,000 bytes, 32 are there"):
        read_npy(tmp_path / "x.npy")


def test_an_array_larger_than_a_quarter_of_memory_is_refused_unread(tmp_path: Path) -> None:
    """The file is sparse: it takes no room on the disk."""
    import os

    huge = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with (tmp_path / "x.npy").open("wb") as file:
        file.write(saved(np.ones(4)))
        file.truncate(huge)
    with pytest.raises(InputError, match=r"the array takes .* GiB, a quarter of this machine's"):
        read_npy(tmp_path / "x.npy")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_compression_that_is_not_numpys_is_refused(tmp_path: Path, method: int) -> None:
    with zipfile.ZipFile(tmp_path / "x.npz", "w", method) as archive:
        archive.writestr("mine.npy", saved(np.ones(4)))
    with pytest.raises(InputError, match=rf"compression method {method} is not one of NumPy's"):
        read_array(tmp_path / "x.npz", "mine")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 and nothing more", b"junk"])
def test_a_file_that_is_no_archive_is_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(InputError, match=r"x\.npz: cannot be read as npz .*np\.savez\.$"):
        read_array(tmp_path / "x.npz", "mine")
    with pytest.raises(InputError, match=r"absent\.npy: cannot be read as npy .*np\.save\.$"):
        read_npy(tmp_path / "absent.npy")
