"""What a run is computed with decides its name, and a machine that differs is refused."""

import pytest

from repro.errors import SetupError
from repro.plan.editions import Edition, load_editions
from repro.plan.environment import (
    VECTORS,
    Environment,
    differing,
    environment_of,
    local_environment,
    processor_type,
    refuse_other_packages,
)

LAST = load_editions().devices["cpu"]
"""The edition that numbers of CPUs have today."""


@pytest.fixture(scope="module")
def here() -> Environment:
    """The environment of this interpreter."""
    return local_environment()


def environment(
    packages: dict[str, str], image: str = "local", *, joined: bool = False, allowed: bool = False
) -> Environment:
    """An environment for CPUs whose lock and interpreter are of no matter."""
    return environment_of("cpu", "lock", packages, image, "3.11", joined, allowed)


def test_packages_of_the_edition_are_named_by_it_alone() -> None:
    """What computes nothing is no part of an environment."""
    found = environment({**LAST.pins, "rich": "1.0"})
    assert found.edition == LAST.edition
    assert found.pins == LAST.pins
    assert found.other_packages == {}


def test_another_package_is_refused_or_goes_into_the_names() -> None:
    packages = {**LAST.pins, "numpy": "0.1"}
    with pytest.raises(
        SetupError, match=r"^numpy 0\.1: belongs to no edition .* --other-packages$"
    ):
        environment(packages)
    assert environment(packages, allowed=True).other_packages == {"numpy": "0.1"}
    assert environment(packages, joined=True).other_packages == {}, "they were compared here"


def test_an_image_belongs_by_its_content_and_not_by_the_packages_of_its_lock() -> None:
    member = next(member.content for member in LAST.members if member.content)
    assert environment({**LAST.pins, "numpy": "0.1"}, member).other_packages == {}
    with pytest.raises(SetupError, match=r"^image 0{64}: belongs to no edition"):
        environment(LAST.pins, "0" * 64)
    assert environment(LAST.pins, "registry/name:tag").other_packages == {}, "known by name only"


def test_an_absent_package_is_no_difference_and_an_added_one_is() -> None:
    wanted = {"torch": "2.0", "numpy": "1.0"}
    assert differing(wanted, {"torch": "2.0"}) == {}
    assert differing(wanted, {"torch": "2.1", "peft": "3"}) == {"torch": "2.1", "peft": "3"}


def test_a_processor_is_named_with_its_widest_instructions_alone() -> None:
    family, *vectors = processor_type().split()
    assert family
    assert len(vectors) <= 1
    assert set(vectors) <= set(VECTORS)


def test_an_environment_of_another_edition_or_other_packages_is_refused(here: Environment) -> None:
    """The worker asks this of itself, before its first step."""
    refuse_other_packages(here)
    other = here.model_copy(update={"edition": Edition(code=99, packages=1)})
    with pytest.raises(
        SetupError,
        match=r"named for edition 99\.1 of the numbers, the sources here are of \d+\.\d+",
    ):
        refuse_other_packages(other)
    with pytest.raises(SetupError, match=r"named for a processor of type x86_64 mmx, this one is"):
        refuse_other_packages(here.model_copy(update={"machine": "x86_64 mmx"}))
    with pytest.raises(SetupError, match=r"not the locked versions, .* peft \S+ for 0\.0\.1"):
        refuse_other_packages(here.model_copy(update={"pins": {"peft": "0.0.1"}}))
