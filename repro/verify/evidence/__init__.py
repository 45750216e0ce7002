"""The evidence of claims: what runs measured, how it was come by, and what grade it is of."""
