"""Values to bytes and back: exactly between steps, and in formats that a person can open where a pipeline delivers.

`save_exact` / `load_exact` serve artifacts between steps: pickle, by and for this project's own store alone.
`save_open` / `load_open` serve delivered outputs; `formats.py` lists their formats in the order of trial.
"""

from __future__ import annotations

from .exact import held_secret, is_picklable, load_exact, save_exact
from .formats import PICKLED, load_open, read_open, save_open
from .saved import Saved, SerializationError, UnknownFormatError

__all__ = [
    "PICKLED",
    "Saved",
    "SerializationError",
    "UnknownFormatError",
    "held_secret",
    "is_picklable",
    "load_exact",
    "load_open",
    "read_open",
    "save_exact",
    "save_open",
]
