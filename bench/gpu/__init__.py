"""`make gpu`: what a card computes, how fast and in how much memory, each speed beside a proof.

Each part is a module with `rows(scale)`, and runs in a process of its own (`bench.gpu.child`).
"""
