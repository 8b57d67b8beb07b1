"""Real notebooks that nobody here wrote: fetched from their packages, exported, run clean, judged. `make corpus`."""
