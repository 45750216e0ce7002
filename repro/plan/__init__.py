"""Expand a manifest into runs that are named by their content."""
