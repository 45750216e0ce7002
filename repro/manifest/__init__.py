"""What is claimed and what is asked: validated records read from YAML."""
