"""What a paper's authors send, taken in as evidence of a grade of its own: `repro supply`.

folder (what lies there, of which run) → measured (activations and adapters, by the functions
that measure runs) → rows (stated beside measured) → units, seeds (what is wrong with
them) → take (all of it, kept under results/supplied).
"""
