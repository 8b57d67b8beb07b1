"""Differential testing (McKeeman, 1998): a bundle and its notebook on other days, which must come to the same."""
