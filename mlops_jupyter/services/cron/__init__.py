"""Cron: what an expression means, when it fires, and how it is written for systems that read it otherwise."""
