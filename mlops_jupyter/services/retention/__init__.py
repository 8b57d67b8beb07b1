"""Retention: what of a project's record and of the stores of its runs is deleted, and what stays."""
