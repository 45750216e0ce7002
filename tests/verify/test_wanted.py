"""Which cells are fetched for which claims."""

from repro.claims.papers import find_paper
from repro.verify.wanted import wanted_cells

CLAIMS = {claim.id: claim for claim in find_paper("laptop").claims}


def test_a_comparison_wants_both_of_its_cells() -> None:
    wanted = wanted_cells([CLAIMS["laptop/scale/grow~3"]])
    assert wanted == {("laptop", "activation_rms", 0), ("laptop", "activation_rms", 40)}


def test_an_intensity_wants_its_nulls_and_its_scale() -> None:
    wanted = wanted_cells([CLAIMS["laptop/direction-of-ei/falls"]])
    quantities = {quantity for _, quantity, _ in wanted}
    assert {"entanglement_intensity", "null_q025", "null_q975", "activation_rms"} == quantities
