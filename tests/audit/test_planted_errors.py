"""One claim of a self-consistent paper is spoiled; the right check finds it. Three errors at least
for every kind of check.
"""

import re
from collections.abc import Callable
from functools import cache
from statistics import pstdev, stdev
from typing import Any

import pytest

from repro.audit import Check, audit
from repro.claims.claim import Claim

Fields = dict[str, Any]
Spoil = Callable[[Fields], Fields]
Load = Callable[[list[Fields]], tuple[Claim, ...]]
Make = Callable[[int], list[Fields]]
A, B, C = "alpha-1b", "beta-2b", "gamma-4b"


def says(**changes: Any) -> Spoil:
    """The claim with other fields (and the same name)."""
    return lambda fields: (
        {**fields, **changes} | ({"says": changes["printed"]} if "printed" in changes else {})
    )


def shifted(by: float) -> Spoil:
    """The first number of the print, moved by so much, with as many decimals as before."""

    def spoil(fields: Fields) -> Fields:
        found = re.search(r"[+-]?\d+(?:\.(\d+))?", fields["printed"])
        assert found is not None
        number = f"{float(found[0]) + by:.{len(found[1] or '')}f}"
        return says(
            printed=fields["printed"][: found.start()] + number + fields["printed"][found.end() :]
        )(fields)

    return spoil


def cell(**changes: Any) -> Spoil:
    """The first operand looks at another cell."""
    return lambda fields: {**fields, "of": {**fields["of"], **changes}}


def swapped(fields: Fields) -> Fields:
    of, against = fields["of"], fields["against"]
    return {**fields, "of": {**of, **against}, "against": {key: of[key] for key in against}}


TRIO = (A, B, C)
PLANTS: list[tuple[str, str, Spoil]] = [
    *(("mean", f"mean after {m}", shifted(0.01)) for m in TRIO),
    *(("median", f"purity median {m}", shifted(0.05)) for m in TRIO),
    *(("quartile", f"purity {q} {A}", shifted(0.05)) for q in ("q25", "q75")),
    ("quartile", "collapse iqr", shifted(700)),
    ("quartile", "collapse q75", shifted(900)),
    *(("extreme", f"range {m}", shifted(-0.2)) for m in TRIO),
    ("extreme", "span bound", says(printed="less than 0.0001")),
    ("extreme", "collapse range", shifted(-1500)),
    *(("count", f"count {m}", says(printed="two")) for m in TRIO),
    *(("percentage", f"percent {c}", shifted(0.7)) for c in ("B1", "B2", "B3")),
    *(("difference", f"points {c}", shifted(1.1)) for c in ("B1", "B2")),
    ("difference", f"fall {B}", shifted(0.03)),
    *(("relative_change", f"change {m}", shifted(4)) for m in TRIO),
    *(
        ("ratio", f"ratio {c}", lambda fields: shifted(3 + float(fields["printed"][:-1]))(fields))
        for c in ("B1", "B2", "B3")
    ),
    *(("orders_of_magnitude", f"orders {c}", shifted(2)) for c in ("B1", "B2", "B3", "B4")),
    *(("formula", "probes", shifted(by)) for by in (1, -1, 48)),
    *(("rank", "nominal rank", shifted(by)) for by in (1, -1, 2)),
    *(("theory_bound", "theory bound", shifted(by)) for by in (0.02, -0.02, 0.5)),
    *(("correlation", "rho", shifted(by)) for by in (0.3, -0.3, 0.11)),
    *(("collapse_step", "collapse of path 0", shifted(by)) for by in (500, -500)),
    ("collapse_step", "collapse of path 1", shifted(-1000)),
    ("recovery", "recovery 0", says(value=False)),
    ("recovery", "recovery 1", says(value=True)),
    ("recovery", "recovery 1", says(value=True, printed="recovers once")),
    ("quantifier", "all zero", says(where={"above": 0.01})),
    ("quantifier", "none zero", says(where={"above": 0.3})),
    ("quantifier", "only", says(where={"below": 0.5})),
    ("quantifier", "only", says(which=A)),
    ("superlative", "lowest", says(which=A)),
    ("superlative", "highest", says(which=B)),
    ("superlative", "second", says(printed="third")),
    *(("ordering", f"above {m} {other}", swapped) for m, other in ((A, B), (B, C), (A, C))),
    *(("monotone", f"monotone {i}", says(order="increasing")) for i in range(3)),
    *(("identical", "identical", cell(**{"lambda": 0.2})) for _ in range(1)),
    *(("identical", f"sweep 0.4 {step}", shifted(0.1)) for step in (500, 1000)),
    *(("proportional", f"loss {level}", shifted(2)) for level in (0.1, 0.2, 0.4)),
    *(("sd", f"sd after {m}", shifted(0.05)) for m in TRIO),
    *(("sd", f"purity sd {m}", shifted(0.05)) for m in TRIO),
    *(
        ("sd_possible", f"path sd {step}", shifted(by))
        for step, by in ((500, 3), (3000, 3), (3500, 0.4))
    ),
    *(("range", f"sd after {m}", shifted(0.5)) for m in TRIO),
    *(("same_value", f"again after {m}", shifted(0.1)) for m in TRIO),
    *(("unnamed_seed", f"unnamed after {m}", shifted(0.1)) for m in TRIO),
    *(("base_without_seed", f"before {m} 1", shifted(0.01)) for m in TRIO),
    *(("z", f"z {c}", shifted(by)) for c, by in (("B1", 0.1), ("B2", -0.1), ("B3", 0.03))),
    *(("p", f"p one {c}", shifted(0.07)) for c in ("B1", "B2")),
    ("p", "p two B3", shifted(0.3)),
    *(("confidence_interval", f"interval {c}", shifted(-2.5)) for c in ("B1", "B2", "B3")),
    *(
        ("significance", f"significant {m} {o}", says(quantity="v_purity"))
        for m, o in ((A, B), (B, C))
    ),
    *(
        ("significance", f"no effect {c}", says(statistic="significant"))
        for c in ("B1", "B2", "B3")
    ),
    *(
        ("no_effect", f"significant {m} {o}", says(statistic="no_effect"))
        for m, o in ((A, B), (B, C), (A, C))
    ),
    *(
        ("grid", f"easy {c}", says(printed=p))
        for c, p in (("B0", "62.5%"), ("B1", "50.3%"), ("B2", "37.5%"))
    ),
    *(
        ("probe_grid", f"accuracy {m} 0", lambda fields: says(printed="0.9944")(fields))
        for m in TRIO
    ),
    *(("collapse_trajectory", "collapse 0", shifted(by)) for by in (-1000, 500)),
    ("collapse_trajectory", "collapse 1", shifted(-500)),
    *(
        ("crosstalk_identity", f"ratio of {n}", says(printed=p))
        for n, p in (("math", "1.000"), ("law", "1.200"))
    ),
    ("crosstalk_identity", "asymmetry poetry", says(printed="1.30")),
    ("crosstalk_identity", "ratio of poetry", says(printed="0.999")),
    *(("total", "some", says(printed=f"{k} of nine")) for k in ("one", "two", "three")),
    *(("listed", f"listed {m}", says(value=[0, 1])) for m in TRIO),
    *(("class_counts", "cardinalities", says(value=v)) for v in ([4, 2, 4], [3, 3], [2, 2, 2, 2])),
    *(("rank_limit", "rank", says(printed=p)) for p in ("20", "13", "99")),
]


def spoiled(fields: list[Fields], name: str, spoil: Spoil) -> list[Fields] | None:
    """The paper with one claim changed; None when this paper does not make that claim."""
    if all(each["note"] != name for each in fields):
        return None
    return [spoil(each) if each["note"] == name else each for each in fields]


def alarms(checks: tuple[Check, ...], kind: str) -> set[str]:
    return {
        claim
        for check in checks
        if check.check == kind and check.verdict == "inconsistent"
        for claim in check.inputs
    }


@pytest.fixture(scope="module")
def quiet(load: Load, random_paper: Make) -> Callable[[int], set[str]]:
    """The kinds of check that raise no alarm on a paper before it is spoiled."""
    return cache(
        lambda seed: {
            check.check
            for check in audit(load(random_paper(seed)))
            if check.verdict == "inconsistent"
        }
    )


@pytest.mark.worker
@pytest.mark.parametrize(
    ("kind", "name", "spoil"),
    PLANTS,
    ids=[f"{kind}-{name}-{i}" for i, (kind, name, _) in enumerate(PLANTS)],
)
def test_a_planted_error_is_found_by_the_check_it_belongs_to(
    kind: str,
    name: str,
    spoil: Spoil,
    load: Load,
    random_paper: Make,
    quiet: Callable[[int], set[str]],
) -> None:
    candidates = ((seed, spoiled(random_paper(seed), name, spoil)) for seed in range(30))
    seed, wrong = next((seed, fields) for seed, fields in candidates if fields is not None)
    assert not quiet(seed)
    claims = load(wrong)
    subjects = {claim.id for claim in claims if claim.note == name}
    assert subjects & alarms(audit(claims), kind)


@pytest.mark.worker
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_paper_that_divides_by_n_here_and_by_n_minus_1_there_is_told_so(
    seed: int, load: Load, random_paper: Make
) -> None:
    fields = random_paper(seed)
    written = {
        each["note"]: float(each["printed"].split()[0].strip("~"))
        for each in fields
        if each["note"].startswith("after ")
    }
    runs = {
        model: [value for note, value in written.items() if note.startswith(f"after {model} ")]
        for model in (A, B)
    }
    both = {model: (pstdev(values), stdev(values)) for model, values in runs.items()}
    # where the two readings lie farthest apart
    model = max(both, key=lambda name: both[name][1] - both[name][0])
    name = f"sd after {model}"
    printed = next(float(each["printed"]) for each in fields if each["note"] == name)
    wrong = spoiled(
        fields, name, says(printed=f"{max(both[model], key=lambda sd: abs(sd - printed)):.3f}")
    )
    assert wrong is not None
    assert alarms(audit(load(wrong)), "sd_denominator")


def test_every_kind_of_check_has_at_least_three_planted_errors() -> None:
    kinds = [kind for kind, _, _ in PLANTS] + ["sd_denominator"] * 3
    assert min(kinds.count(kind) for kind in set(kinds)) >= 3
