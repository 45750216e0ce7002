"""The algebra of claims: terms over cells, evaluated on what was printed and what was measured."""
