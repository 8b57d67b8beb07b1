"""Workflows for Flyte."""
