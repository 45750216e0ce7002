"""Showing results: tables, figures, pages. Reads records; computes nothing that belongs to the evidence."""
