"""Show results: tables, figures, pages. Reads records; computes nothing of the evidence."""
