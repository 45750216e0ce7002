"""A model is counted from its shape, and named by all that decides its weights."""

import pytest
from pydantic import ValidationError

from repro.manifest.model import Architecture, HubWeights, Model, RandomWeights

SHAPE = Architecture(
    family="llama", hidden=12, layers=2, heads=3, kv_heads=1, intermediate=20, vocabulary=7
)
MODEL = Model(id="m", title="M", weights=RandomWeights(seed=1), architecture=SHAPE)


@pytest.mark.parametrize(
    ("family", "shape", "tied", "count"),
    [
        ("qwen2", (896, 24, 14, 2, 4864, 151936), True, 494_032_768),
        ("qwen2", (3584, 28, 28, 4, 18944, 152064), False, 7_615_616_512),
        ("llama", (576, 30, 9, 3, 1536, 49152), True, 134_515_008),
        ("llama", (2048, 22, 32, 4, 5632, 32000), False, 1_100_048_384),
        ("mistral", (4096, 32, 32, 8, 14336, 32000), False, 7_241_732_096),
    ],
    ids=["Qwen2.5-0.5B", "Qwen2.5-7B", "SmolLM2-135M", "TinyLlama-1.1B", "Mistral-7B-v0.1"],
)
def test_a_published_model_has_its_published_number_of_parameters(
    family: str, shape: tuple[int, ...], tied: bool, count: int
) -> None:
    names = ("hidden", "layers", "heads", "kv_heads", "intermediate", "vocabulary")
    fields = {**dict(zip(names, shape, strict=True)), "family": family, "tied": tied}
    made = Architecture.model_validate(fields)
    assert made.parameters == count
    assert made.linear_parameters + made.other_parameters == count


def test_the_narrowest_module_is_that_with_the_smallest_dimension() -> None:
    """k and v write one head's 4 values; a name that is no module of a block counts for nothing."""
    assert SHAPE.narrowest(("q_proj", "v_proj", "lm_head")) == ("v_proj", 4)
    assert SHAPE.narrowest(("down_proj", "q_proj")) == ("down_proj", 12)
    assert SHAPE.narrowest(("lm_head",)) is None


@pytest.mark.parametrize("change", [{"heads": 5}, {"heads": 4}, {"kv_heads": 2}])
def test_heads_of_no_one_even_size_are_refused(change: dict[str, int]) -> None:
    """12 values are not 5 heads; 4 heads have 3 values, an odd number; 3 heads are not 2 groups."""
    with pytest.raises(ValidationError, match="make no heads of one even size; heads has to"):
        Architecture.model_validate({**SHAPE.model_dump(), **change})


def test_a_folder_is_named_by_what_decides_the_weights_and_not_by_the_title() -> None:
    assert MODEL.model_copy(update={"title": "Other"}).folder == MODEL.folder
    assert MODEL.folder.startswith("m-")
    others = [
        {"weights": RandomWeights(seed=2)},
        {"architecture": SHAPE.model_copy(update={"layers": 3})},
        {"id": "n"},
    ]
    assert len({MODEL.folder, *(MODEL.model_copy(update=other).folder for other in others)}) == 4


def test_a_model_of_the_hub_is_found_there_and_every_other_in_its_folder() -> None:
    hub = HubWeights(repository="a/b", revision="c" * 40)
    assert MODEL.model_copy(update={"weights": hub}).origin == ("a/b", "c" * 40)
    assert MODEL.origin == (f"./models/{MODEL.folder}", None)


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ({"kind": "hub", "repository": "a/b", "revision": "main"}, "revision"),
        ({"kind": "packaged_gguf", "packages": [], "member": "*", "sha256": "a" * 64}, "packages"),
        ({"kind": "random", "seed": -1}, "seed"),
        ({"kind": "disk"}, "'hub', 'packaged_gguf', 'random'"),
    ],
)
def test_weights_that_are_not_pinned_are_refused(weights: dict[str, object], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Model.model_validate({**MODEL.model_dump(), "weights": weights})
