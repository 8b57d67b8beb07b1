"""Group executions into steps that can run in separate processes, one after the other."""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mlops_jupyter.analysis.graph import Graph

Obstacle = tuple[int, int, str]
"""(execution that made a value, execution that reads it, why the value cannot cross between the two)."""


@dataclass
class Group:
    """The executions of one step. Grows while steps are being formed; is only read afterwards."""

    name: str
    members: list[int]
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class GroupLabel:
    """The step that an execution belongs to by its author's word: executions with equal keys belong together."""

    key: str
    name: str


def group(graph: Graph, kept: Sequence[int], labels: Mapping[int, GroupLabel]) -> list[Group]:
    """Group executions with the same label, as long as no two groups then depend on each other.

    An execution joins an earlier group only if all its inputs from other groups were made before that group began, and
    if it rebinds no name that another group has read from that group in between. Therefore the groups can run in the
    order of their first members, and other groups read a group's last value of a name.
    """
    groups: list[Group] = []
    latest: dict[str, Group] = {}
    names: set[str] = set()
    kept_set = set(kept)
    for position in kept:
        label = labels[position]
        target = latest.get(label.key)
        if target is None or (target is not groups[-1] and not _may_join(graph, target, position, kept_set)):
            target = Group(_free(label.name, names), [])
            groups.append(target)
            latest[label.key] = target
        target.members.append(position)
    return groups


def _may_join(graph: Graph, group: Group, position: int, kept: set[int]) -> bool:
    members = {*group.members, position}
    made_before = all(m in members or m < group.members[0] for m in graph.producers[position].values())
    return made_before and not any(user < position and user in kept for _, user, _ in _overwritten(graph, members))


def _overwritten(graph: Graph, members: set[int]) -> Iterator[tuple[int, int, str]]:
    """Yield (maker, user, name) where another group's execution reads a value that a later member rebinds."""
    for maker in members:
        for user, name in graph.users.get(maker, ()):
            if user not in members and any(m > maker and graph.rebinds(m, name) for m in members):
                yield maker, user, name


def overwritten(graph: Graph, groups: Sequence[Group]) -> list[tuple[int, int, str]]:
    """Return (maker, user, reason) where merging left a group that rebinds a name after another group has read it."""
    return [
        (maker, user, f"{name!r} is made anew after {reader.name!r} took it")
        for group in groups
        for maker, user, name in _overwritten(graph, set(group.members))
        for reader in groups
        if user in reader.members
    ]


def merge(graph: Graph, groups: list[Group], together: Iterable[tuple[int, int, str]]) -> list[Group]:
    """Merge groups whose executions must run in one process, with all groups between them.

    Merging everything between the two is the simplest division that is always right.

    Parameters
    ----------
    together : (maker, user, reason): positions of two executions that must run in one process, and why.
    """
    for maker, user, reason in together:
        first = next(i for i, g in enumerate(groups) if maker in g.members)
        last = next(i for i, g in enumerate(groups) if user in g.members)
        if first == last:
            continue
        first, last = min(first, last), max(first, last)
        merged = Group(groups[first].name, sorted(m for g in groups[first : last + 1] for m in g.members))
        merged.notes = [note for g in groups[first : last + 1] for note in g.notes]
        others = ", ".join(repr(g.name) for g in groups[first + 1 : last + 1])
        merged.notes.append(f"holds what the notebook calls {others} too: {reason}")
        groups[first : last + 1] = [merged]
    return groups


def _free(name: str, taken: set[str]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    taken.add(free)
    return free


def identifier(text: str, otherwise: str) -> str:
    """Turn a heading into a Python name of at most 40 ASCII letters, digits and underscores."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    plain = re.sub(r"<[^>]*>|\([^)]*\)|\[|\]", " ", plain)
    plain = re.sub(r"[^a-zA-Z0-9]+", "_", plain).strip("_").lower()
    plain = re.sub(r"^[0-9_]+", "", plain)
    if len(plain) > 40:
        plain = plain[:40].rsplit("_", 1)[0]
    if not plain or keyword.iskeyword(plain) or keyword.issoftkeyword(plain):
        return otherwise if not plain else f"{plain}_step"
    return plain


STAGES: tuple[tuple[str, Callable[[str], bool]], ...] = tuple(
    (name, re.compile(pattern).search)  # type: ignore[misc]
    for name, pattern in (
        ("register", r"(?m)^\s*%register\b"),
        ("drift", r"(?m)%drift\b"),
        ("evaluate", r"\b(score|predict\w*|confusion_matrix|classification_report|\w+_score|cross_val\w*|summary)\("),
        ("train", r"\.(fit|fit_transform|train|partial_fit)\("),
        ("plot", r"\b(plt|sns|px|go|ax|axs|axes|fig)\.\w+|\.(plot|hist)\b"),
        ("load", r"\b(read_\w+|load_\w+|fetch_\w+|make_\w+|open|get_rdataset)\("),
    )
)


def stage(source: str) -> str:
    """Name the stage of a cell's code ("load", "train" ...) by what it calls, for notebooks without headings."""
    return next((name for name, found in STAGES if found(source)), "prepare")
