"""Describe this machine: what it has, what it can run, and what uses its disk."""
