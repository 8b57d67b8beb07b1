"""A bundle run and verified on this machine."""
