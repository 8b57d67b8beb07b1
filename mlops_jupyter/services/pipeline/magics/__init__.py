"""Translate magics and shell lines into plain Python."""
