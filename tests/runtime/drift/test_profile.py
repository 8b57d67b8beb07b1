"""A reference kept as JSON."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from mlops_jupyter.runtime.drift import DriftVerdict, IncomparableDataError, Profile, check, profile

FRAME = pd.DataFrame({"x": np.arange(1000) % 37, "y": ["a", "b"] * 500, "z": [None] * 1000, "w": [np.inf, 1.0] * 500})


def test_it_comes_back_from_json_as_it_was() -> None:
    text = profile(FRAME).to_json()
    assert Profile.from_json(text).to_json() == text
    assert Profile.from_json(text).names == ("x", "y", "z", "w")
    json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))


def test_it_keeps_only_the_columns_named() -> None:
    assert profile(FRAME, columns=["y"]).names == ("y",)
    with pytest.raises(
        IncomparableDataError, match="the reference data lacks the column 'v': it has 'x', 'y', 'z', 'w'"
    ):
        profile(FRAME, columns=["v"])


def test_few_values_and_few_categories_are_compared_exactly() -> None:
    after = FRAME.assign(x=FRAME.x + 3, y=["a", "c"] * 500)
    exact, kept = check(FRAME, after), check(profile(FRAME), after)
    assert kept.columns == exact.columns
    assert kept.notes[-1] == "the reference is a profile: its statistics are approximate, to 0.005"


def test_many_categories_are_kept_as_the_most_frequent_ones() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"zip": [f"z{k}" for k in np.minimum(rng.zipf(1.3, 60_000), 20_000)]})
    kept = profile(frame)
    assert len(kept.to_json()) < 20_000
    assert check(kept, frame.sample(20_000, random_state=1)).verdict is DriftVerdict.STABLE
    gone = check(kept, frame[frame.zip != "z1"])["zip"]
    assert (gone.verdict, gone.new, gone.vanished) == (DriftVerdict.DRIFTED, (), ("z1",))


NONE = "this is not a drift profile: make one with profile(frame).to_json()"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", NONE),
        ("[1]", NONE),
        ('{"rows": 1}', NONE),
        ('{"drift_profile": 9}', "the profile has format 9, this version reads 1: make it again"),
        ('{"drift_profile": 1, "rows": 1, "columns": [{"name": 1}]}', NONE),
    ],
)
def test_what_is_no_profile_is_refused(text: str, said: str) -> None:
    with pytest.raises(IncomparableDataError) as fault:
        Profile.from_json(text)
    assert str(fault.value) == said
