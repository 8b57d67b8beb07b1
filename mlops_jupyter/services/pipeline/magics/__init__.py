"""Magics and shell lines as plain Python."""
