"""Judging published numbers: against each other (audit), and against measurements (verify)."""
