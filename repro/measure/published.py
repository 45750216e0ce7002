"""Printed pairs of the readout's largest singular value and EI, to lay over a scale sweep (docs/SCIENCE.md §5).

Only steps at which the papers print both for the same run: seed 0 of the 32B model. At steps 500 to 2000 its singular
value is printed and its EI is not.
"""

from repro.geometry.sweep import Published

_SIGMA = "selective paper, Table 3"
_ZERO = f"{_SIGMA}; Table 1: seed 0 is at EI = 0 from step 2500 on"

PUBLISHED = (
    Published("32B seed 0 base", 0.0108, 0.622, f"{_SIGMA}; consolidated paper, Table 3"),
    Published("32B seed 0 step 2500", 0.2772, 0.0, _ZERO),
    Published("32B seed 0 step 3000", 0.2978, 0.0, _ZERO),
    Published("32B seed 0 step 3500", 1.3911, 0.0, _ZERO),
)
