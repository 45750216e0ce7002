"""Validated records read from YAML: experiments, models, data, probe sets."""
