"""Facts that need no run: settings, architectures, definitions, meanings of printed words."""
