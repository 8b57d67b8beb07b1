"""The figures that the README quotes, each beside the peer that it is compared with, measured in the same run.

``python -m benchmarks [ROW ...]`` prints the table. Each side is a program of `benchmarks/programs` that measures
itself in a process of its own (ours in the project's environment, peers in .venvs/peers) and prints JSON. Sides take
turns, so that a machine that slows down slows them all; the table shows the median of the rounds.
"""
