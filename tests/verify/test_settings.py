"""What needs no run: manifest fields and architecture facts."""

import pytest

from repro.manifest.claim import Term
from repro.manifest.load import load_models
from repro.verify.algebra_interval import Category, Interval, Levels, Missing
from repro.verify.settings import Settings, parameters


@pytest.mark.parametrize(
    ("model", "count"),
    [
        ("qwen2.5-coder-7b", 7_615_616_512),
        ("qwen2.5-coder-14b", 14_770_033_664),
        ("qwen2.5-coder-32b", 32_763_876_352),
        ("mistral-7b-v0.3", 7_248_023_552),
        ("deepseek-coder-6.7b", 6_740_512_768),
        ("codellama-7b", 6_738_546_688),
    ],
)
def test_parameters_are_counted_as_the_published_checkpoints_have_them(model: str, count: int):
    assert parameters(load_models()[model].architecture) == count


LADDER = Settings("scale_ladder")


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        (Term(quantity="lora_alpha"), Interval(128, 128)),
        (Term(quantity="diagnostics_every"), Interval(500, 500)),
        (Term(quantity="double_quantisation"), Category("yes")),
        (Term(quantity="targets"), Category("all linear layers")),
        (Term(quantity="schedule"), Category("cosine")),
        (Term(quantity="data_share", selector={"condition": "B3", "dataset": "code"}), Interval(0.7, 0.7)),
        (Term(quantity="steps", selector={"condition": "B3"}), Interval(5000, 5000)),
        (Term(statistic="count", quantity="x", over="seed", selector={"model": "qwen2.5-coder-32b"}), Interval(8, 8)),
        (Term(statistic="count", quantity="target_modules", over="module", among=("q_proj", "nonsense")), Interval(1, 1)),
        (Term(statistic="levels", quantity="cardinalities", over="concept"), Levels((3, 4, 4))),
    ],
    ids=lambda value: getattr(value, "quantity", ""),
)  # fmt: skip
def test_a_setting_is_found_by_the_name_a_claim_gives_it(term: Term, expected):
    found = LADDER.base(term)
    if isinstance(expected, Levels) and isinstance(found, Levels):
        assert sorted(found.values) == sorted(expected.values)
    else:
        assert found == expected


def test_a_setting_the_manifest_lacks_is_missing_and_so_is_an_unwritten_manifest():
    assert isinstance(LADDER.base(Term(quantity="no_such_setting")), Missing)
    unwritten = Settings("announced_only").base(Term(quantity="lora_rank"))
    assert isinstance(unwritten, Missing)
    assert "not yet written" in unwritten.reason
