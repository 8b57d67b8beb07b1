"""Reduction of torch's tensors for artifacts, with the memory that they share and with their gradients."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from ..fingerprints.tensors import dense, gradient
from .saved import SerializationError


class Tensors:
    """Reduces the tensors of one artifact. It holds each storage that it has met, so that each is saved once."""

    def __init__(self) -> None:
        self._memories: dict[int, Any] = {}

    def reduced(self, value: Any) -> Any:
        """Return a tensor's reduction, as `__reduce__` does. The graph that computed the tensor cannot be kept.

        Raises
        ------
        SerializationError
            Gradients can still be computed through the tensor.
        """
        if value.grad_fn is not None:
            raise SerializationError("", "gradients can still be computed through a tensor of it")
        own = value.device.type == "cpu" and dense(value) and not vars(value)
        reduction = self._over_memory(value) if own else value.__reduce_ex__(5)
        grad = gradient(value)
        return reduction if grad is None else (with_gradient, (*reduction[:2], grad), *reduction[2:])

    def _over_memory(self, value: Any) -> Any:
        torch: Any = sys.modules["torch"]
        storage = value.untyped_storage()
        memory = self._memories.get(storage.data_ptr())
        if memory is None:
            memory = torch.empty(0, dtype=torch.uint8).set_(storage).numpy()
            self._memories[storage.data_ptr()] = memory
        kind = "Parameter" if isinstance(value, torch.nn.Parameter) else "Tensor"
        dtype = str(value.dtype).removeprefix("torch.")
        return tensor_over, (
            memory, kind, dtype, value.storage_offset(), tuple(value.shape), value.stride(), value.requires_grad,
        )  # fmt: skip


def tensor_over(memory: Any, kind: str, dtype: str, start: int, shape: Any, strides: Any, requires_grad: bool) -> Any:
    """Return a tensor over memory that other tensors may share."""
    torch: Any = importlib.import_module("torch")

    storage = torch.from_numpy(memory).untyped_storage()
    tensor: Any = torch.empty(0, dtype=getattr(torch, dtype)).set_(storage, start, shape, strides)
    return torch.nn.Parameter(tensor, requires_grad) if kind == "Parameter" else tensor.requires_grad_(requires_grad)


def with_gradient(function: Any, args: Any, grad: Any) -> Any:
    """Return the tensor that a reduction makes, with its gradient."""
    tensor = function(*args)
    tensor.grad = grad
    return tensor


MADE_HERE = {"tensor_over": tensor_over, "with_gradient": with_gradient}
"""Name -> function of this module that saved bytes call."""
