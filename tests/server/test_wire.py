"""TypeScript of the messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Literal

import pytest

from mlops_jupyter.services.pipeline.query.step_states import StepState as State
from mlops_jupyter.surfaces.server.messages import MESSAGES, StepState
from mlops_jupyter.surfaces.server.wire import typescript

WIRE = Path(__file__).parents[2] / "labextension" / "src" / "wire.ts"


def test_the_front_ends_copy_is_current():
    assert WIRE.read_text() == typescript(MESSAGES), (
        "python -m mlops_jupyter.surfaces.server.wire > labextension/src/wire.ts"
    )


def test_the_states_of_a_step_are_the_pipelines():
    assert [state.value for state in StepState] == [state.value for state in State]


class Colour(Enum):
    """A colour."""

    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Leaf:
    """A leaf.

    More of it.
    """

    colour: Colour


@dataclass(frozen=True)
class Tree:
    """A tree."""

    leaves: tuple[Leaf, ...]
    height: float | None
    kind: Literal["oak", "elm"]
    names: Mapping[str, int]
    old: bool


EXPECTED = """
/** A colour. */
export type Colour = 'red' | 'blue';

/** A leaf. */
export interface ILeaf {
  readonly colour: Colour;
}

/** A tree. */
export interface ITree {
  readonly leaves: readonly ILeaf[];
  readonly height: number | null;
  readonly kind: 'oak' | 'elm';
  readonly names: Readonly<Record<string, number>>;
  readonly old: boolean;
}
"""


def test_what_is_mentioned_comes_first():
    assert typescript((Tree,)).endswith(".ts\n" + EXPECTED)


def test_a_type_without_a_word():
    @dataclass(frozen=True)
    class Odd:
        when: bytes

    with pytest.raises(TypeError, match="no TypeScript for <class 'bytes'>"):
        typescript((Odd,))
