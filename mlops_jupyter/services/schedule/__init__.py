"""Bundles that run by the clock on this machine, and the record of what came of it."""
