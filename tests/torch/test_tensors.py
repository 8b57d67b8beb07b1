"""Torch's tensors as values: told by content, tied by memory, saved with gradients."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

from mlops_jupyter.runtime.codecs import SerializationError, load_exact, save_exact
from mlops_jupyter.runtime.fingerprints.fingerprint import fingerprint, survey
from mlops_jupyter.runtime.hidden import registry
from mlops_jupyter.runtime.verify.compare import ComparisonStatus, compare


def test_content_tells_a_tensor_in_every_process() -> None:
    module = "mlops_jupyter.runtime.fingerprints.fingerprint"
    code = f"import torch\nfrom {module} import fingerprint\nprint(fingerprint(torch.ones(2, 3)))"
    there = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    assert there == fingerprint(torch.ones(2, 3))
    others = [torch.ones(3, 2), torch.ones(2, 3).double(), torch.zeros(2, 3), torch.ones(2, 3, requires_grad=True)]
    assert there not in map(fingerprint, others)
    assert isinstance(fingerprint(torch.ones(2, dtype=torch.bfloat16)), str)


def test_gradients_are_part_of_it() -> None:
    made = torch.nn.Parameter(torch.ones(2))
    before = fingerprint(made)
    (made * 3).sum().backward()
    assert fingerprint(made) != before
    again = load_exact(save_exact({"made": made}).data)["made"]
    assert type(again) is torch.nn.Parameter
    assert again.grad.tolist() == [3, 3]
    assert fingerprint(again) == fingerprint(made)


def test_what_shares_memory_is_tied() -> None:
    base = torch.arange(6.0)
    array = np.ones(3)
    assert survey(base).objects & survey(base.view(2, 3)).objects
    assert survey(array).objects & survey(torch.from_numpy(array)).objects
    assert not survey(base).objects & survey(torch.arange(6.0)).objects


def test_shared_memory_is_shared_after_a_crossing() -> None:
    base = torch.arange(6.0)
    again = load_exact(save_exact({"base": base, "view": base.view(2, 3)[1]}).data)
    again["base"][4] = 70
    assert again["view"].tolist() == [3, 70, 5]


def test_an_optimizer_holds_the_parameters_of_its_model_after_a_crossing() -> None:
    model = torch.nn.Linear(2, 1)
    optimizer = torch.optim.Adam(model.parameters())
    again = load_exact(save_exact({"model": model, "optimizer": optimizer}).data)
    assert again["optimizer"].param_groups[0]["params"][0] is again["model"].weight


def test_a_computation_stays_in_its_process() -> None:
    with pytest.raises(SerializationError, match=r"'loss' cannot be saved: .*gradients can still be computed"):
        save_exact({"loss": torch.ones(1, requires_grad=True) * 2})


def test_tensors_are_compared_as_arrays() -> None:
    assert compare(torch.ones(2), torch.ones(2) + 2e-7).status is ComparisonStatus.CLOSE
    assert compare(torch.ones(2), torch.zeros(2)).reason == "[0]: 1 became 0 (2 of 2 values differ)"
    assert compare(torch.ones(2), torch.ones(2).double()).reason == "dtype torch.float32 became torch.float64"


def test_the_random_state_is_set_again() -> None:
    before = registry.read("~torch.random")
    drawn = torch.rand(3)
    registry.write("~torch.random", before)
    assert torch.equal(torch.rand(3), drawn)
