"""Verification: a run's outputs compared with the notebook's values, and where they diverge."""
