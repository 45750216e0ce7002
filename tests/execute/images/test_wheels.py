"""The locks of the images name one wheel a package: what an index lists first decides nothing."""

import hashlib
import importlib.util
import itertools
import os
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from random import Random
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.pylock import PackageWheel
from packaging.utils import parse_wheel_filename

from repro.errors import SetupError
from repro.execute.images.base_lock import load_base_lock
from repro.execute.images.wheels import GLIBC, WHEEL_PYTHON, bring_wheels, require_one_wheel_each
from repro.plan.image_lock import ImageName
from repro.shipped import ROOT

TAGGED = [
    "cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64",
    "cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.manylinux_2_28_x86_64",
    "cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64",
    "cp311-cp311-manylinux_2_39_x86_64",
    "cp311-cp311-manylinux2014_aarch64.manylinux_2_17_aarch64",
    "cp312-cp312-manylinux_2_28_x86_64",
    "cp38-abi3-manylinux1_x86_64.manylinux_2_5_x86_64",
    "cp311-cp311-musllinux_1_2_x86_64",
    "cp311-cp311-macosx_11_0_arm64",
    "py3-none-any",
]
"""From names on the index; four of them run nowhere near the image."""
FITTING = [*TAGGED[:3], TAGGED[6], TAGGED[9]]


@pytest.fixture(scope="module")
def lock() -> ModuleType:
    """docker/lock.py as a module."""
    spec = importlib.util.spec_from_file_location("docker_lock", ROOT / "docker" / "lock.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def listed(names: Sequence[str]) -> list[PackageWheel]:
    """Wheels of these names, as an index lists them."""
    return [
        PackageWheel(
            url=f"https://index.example/{name}",
            hashes={"sha256": hashlib.sha256(name.encode()).hexdigest()},
        )
        for name in names
    ]


def named(path: Path) -> dict[str, list[str]]:
    """The hashes of each package in a lock file."""
    blocks = re.split(r"\n(?=[A-Za-z0-9])", path.read_text().strip())
    names = [block.split("==")[0] for block in blocks]
    assert len(names) == len(set(names)), "a package stands twice"
    hashes = [re.findall(r"--hash=sha256:([0-9a-f]{64})\b", block) for block in blocks]
    return dict(zip(names, hashes, strict=True))


@pytest.mark.parametrize("name", ["cpu", "cuda"])
def test_each_package_of_an_image_has_one_hash(name: str) -> None:
    """The positive control: those that the lock was made from have several."""
    found = named(ROOT / "docker" / f"{name}.lock")
    assert {package: len(hashes) for package, hashes in found.items() if len(hashes) != 1} == {}
    assert {"torch", "numpy", "regex"} <= found.keys()
    require_one_wheel_each(ROOT / "docker" / f"{name}.lock")
    with pytest.raises(SetupError, match=rf"{name}\.lock: found hashes: \d+ of .* and \d+ more; "):
        require_one_wheel_each(ROOT / "requirements" / f"{name}.lock")


def test_the_wheels_are_for_the_base() -> None:
    versions = {package.name: package.version for package in load_base_lock().packages}
    assert versions["libc6"].startswith(f"2.{GLIBC}-")
    assert f"python{WHEEL_PYTHON[0]}.{WHEEL_PYTHON[1]}-minimal" in versions


@pytest.mark.parametrize(
    ("hashes", "said"),
    [
        ({"one": 1, "two": 2}, "found hashes: 2 of two; expected one of each package"),
        ({"none": 0, "one": 1}, "found hashes: 0 of none; expected"),
        ({f"p{n}": 2 for n in range(8)}, "2 of p5 and 2 more; expected"),
    ],
    ids=["two", "none", "many"],
)
def test_a_lock_that_leaves_a_choice_is_refused(
    tmp_path: Path, hashes: dict[str, int], said: str
) -> None:
    """In one line; with one hash each the same lock passes."""
    for wanted in (hashes, dict.fromkeys(hashes, 1)):
        lines = [
            " \\\n    ".join([f"{name}==1.0", *(f"--hash=sha256:{n:064x}" for n in range(count))])
            for name, count in wanted.items()
        ]
        (tmp_path / "cpu.lock").write_text("\n".join(lines) + "\n")
        if wanted is hashes:
            with pytest.raises(SetupError) as refused:
                require_one_wheel_each(tmp_path / "cpu.lock")
            assert said in str(refused.value)
            assert "\n" not in str(refused.value)
    require_one_wheel_each(tmp_path / "cpu.lock")


def test_a_package_that_stands_twice_is_refused(tmp_path: Path) -> None:
    (tmp_path / "cpu.lock").write_text(
        f"a_b==1 \\\n    --hash=sha256:{0:064x}\na-b==2 \\\n    --hash=sha256:{1:064x}\n"
    )
    with pytest.raises(SetupError, match="found hashes: 2 of a-b"):
        require_one_wheel_each(tmp_path / "cpu.lock")


names = st.builds(
    "thing-1.0{}-{}.whl".format, st.sampled_from(["", "-2", "-10", "-10a"]), st.sampled_from(TAGGED)
)


@given(st.lists(names, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_the_choice_does_not_depend_on_the_order(
    lock: ModuleType, given: list[str], random: Random
) -> None:
    """Any order gives the same wheel; it fits the image whenever one does; no wheel is nearer."""
    chosen = lock.nearest(listed(given))
    again = list(given)
    random.shuffle(again)
    assert lock.nearest(listed(again)) == chosen
    fitting = [name for name in given if name.removesuffix(".whl").endswith(tuple(FITTING))]
    assert (chosen is None) == (not fitting)
    if chosen is not None:
        ranks = {name: rank(lock, name) for name in fitting}
        assert ranks[chosen.filename] == min(ranks.values())


def rank(lock: ModuleType, name: str) -> tuple[int, tuple[int, ...], str]:
    """The rule in other words: place of the best tag, build number downwards, name."""
    _, _, build, tags = parse_wheel_filename(name)
    place = min(lock.TAGS.index(tag) for tag in tags if tag in lock.TAGS)
    number, letter = build or (-1, "")
    return place, (-number, -len(letter)), name


def test_the_nearest_tag_is_that_of_the_newest_glibc_then_any(lock: ModuleType) -> None:
    """The two wheels of regex, and what is taken when the first choice is gone."""
    order = [TAGGED[1], TAGGED[0], TAGGED[6], TAGGED[9]]
    wheels = [f"regex-2026.11.15-{tags}.whl" for tags in order]
    for first, rest in ((wheels[n], wheels[n:]) for n in range(len(wheels))):
        for some in itertools.permutations(rest):
            assert lock.nearest(listed(some)).filename == first
    assert lock.nearest(listed([f"regex-1-{TAGGED[3]}.whl"])) is None


def test_an_entry_names_the_locked_wheel_or_says_why_not(lock: ModuleType) -> None:
    """A wheel that the index has and the lock does not is not taken, however near; one that the
    image has already stays while it is locked.
    """
    near, far = listed([f"thing-1.0-{TAGGED[1]}.whl", f"thing-1.0-{TAGGED[0]}.whl"])
    both = ("thing==1.0", [f"sha256:{one.hashes['sha256']}" for one in (near, far)])
    expected = "thing==1.0 \\\n    --hash=sha256:"
    assert lock.with_one_hash(both, [far, near]) == expected + near.hashes["sha256"]
    assert (
        lock.with_one_hash((both[0], both[1][1:]), [far, near]) == expected + far.hashes["sha256"]
    )
    for kept, other in ((near, far), (far, near)):
        held = [f"sha256:{kept.hashes['sha256']}"]
        assert lock.with_one_hash(both, [near, far], held) == expected + kept.hashes["sha256"]
        gone = ("thing==1.0", [f"sha256:{other.hashes['sha256']}"])
        assert lock.with_one_hash(gone, [near, far], held) == expected + other.hashes["sha256"]
    assert lock.with_one_hash(both, [far, near], both[1]) == expected + near.hashes["sha256"]
    with pytest.raises(SystemExit, match=r"thing==1\.0: 2 wheels are locked, and none of those"):
        lock.with_one_hash(both, [])


def test_markers_are_those_of_the_image_whatever_machine_makes_the_lock(lock: ModuleType) -> None:
    text = "".join(
        f"{pin} \\\n    --hash=sha256:{number:064x}\n"
        for number, pin in enumerate(
            [
                "a==1",
                "b==1 ; sys_platform == 'darwin'",
                "c==1 ; sys_platform == 'linux'",
                "d==1 ; python_full_version < '3.12'",
                "e==1 ; python_version >= '3.12'",
                "f==1 ; platform_machine == 'aarch64'",
                "g==1+cpu ; sys_platform == 'linux'",
                "g==1 ; sys_platform == 'darwin'",
            ]
        )
    )
    found = lock.entries(text)
    assert {name: pin for name, (pin, _) in found.items()} == {
        "a": "a==1", "c": "c==1", "d": "d==1", "g": "g==1+cpu",
    }  # fmt: skip
    assert found["g"][1] == [f"sha256:{6:064x}"]


@pytest.mark.parametrize("image", ["cpu", "cuda"])
def test_pip_takes_the_named_wheel_in_whatever_order_an_index_lists_them(
    image: ImageName, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The positive control: with both hashes, which of two equally near wheels comes is the
    order's.
    """
    folder = tmp_path / "simple" / "thing"
    folder.mkdir(parents=True)
    wheels = [f"thing-1.0-{tags}.whl" for tags in (TAGGED[1], TAGGED[2])]
    hashes = {name: wheel(folder / name) for name in wheels}
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", (tmp_path / "simple").as_uri())
    came: dict[str, set[str]] = {"both": set(), "one": set()}
    for number, order in enumerate((wheels, wheels[::-1])):
        links = (f'<a href="{name}#sha256={hashes[name]}">{name}</a>' for name in order)
        (folder / "index.html").write_text("<!DOCTYPE html>" + "\n".join(links))
        for kind, allowed in (("both", wheels), ("one", wheels[:1])):
            scratch = tmp_path / f"{kind}-{number}"
            scratch.mkdir()
            pinned = [f"--hash=sha256:{hashes[name]}" for name in allowed]
            (scratch / "a.lock").write_text(" \\\n    ".join(["thing==1.0", *pinned]) + "\n")
            (path,) = bring_wheels(image, scratch / "a.lock", scratch).iterdir()
            came[kind].add(path.name)
    assert came == {"both": set(wheels), "one": {wheels[0]}}


def wheel(path: Path) -> str:
    """Make a wheel with nothing in it but what it says of itself; its digest."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "thing-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n"
        )
        archive.writestr("thing-1.0.dist-info/WHEEL", f"Wheel-Version: 1.0\n# {path.name}\n")
        archive.writestr("thing-1.0.dist-info/RECORD", "")
    return hashlib.sha256(path.read_bytes()).hexdigest()
