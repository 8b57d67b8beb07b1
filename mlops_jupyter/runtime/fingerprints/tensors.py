"""Digests of torch's tensors by dtype, shape, content and gradient."""

from __future__ import annotations

import sys
from typing import Any

from . import arrays, decompose
from .builtin import last_name
from .hash_records import Record
from .walk import Handler, Walk


def handler_for(kind: type) -> Handler:
    """Return the handler for a class of torch's, or derived from one."""
    torch: Any = sys.modules["torch"]

    others = decompose.handler_for(kind)
    if not issubclass(kind, torch.Tensor):
        return others
    return lambda walk, value: _tensor(walk, value) if dense(value) else others(walk, value)


def _tensor(walk: Walk, value: Any) -> bytes:
    head = walk.digest([last_name(type(value)), str(value.dtype), list(value.shape), value.requires_grad])
    return walk.record(Record.OBJECT, head, arrays.array(walk, content(value)), walk.digest(gradient(value)))


def dense(value: Any) -> bool:
    """Return whether a tensor is a run of numbers in memory, and not sparse, quantized or without content."""
    torch: Any = sys.modules["torch"]

    return value.layout is torch.strided and not value.is_quantized and value.device.type != "meta"


def content(value: Any) -> Any:
    """Return a tensor's numbers as a numpy array; as bytes if numpy lacks their type."""
    torch: Any = sys.modules["torch"]

    plain = value.detach().cpu().resolve_conj().resolve_neg()
    try:
        return plain.numpy()
    except TypeError:  # bfloat16
        return plain.contiguous().reshape(-1).view(torch.uint8).numpy()


def gradient(value: Any) -> Any:
    """Return the gradient that a leaf tensor holds; None if there is none."""
    return value.grad if value.is_leaf else None
