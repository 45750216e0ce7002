"""Pure maths: arrays in, arrays out. Definitions: docs/SCIENCE.md §3–8 and §11.

ridge (readout, leave-one-out) → directions → damage, margin → diagnosis (everything of one
checkpoint); around them the interval, the nulls, the specification curve, the scale sweep,
similarity, crosstalk and trajectories.
"""
