"""Executions -> steps: which executions make one step, so that steps can run apart and in an order."""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from mlops_jupyter.analysis.graph import Graph


@dataclass
class Group:
    """Executions that will be one step. Grows while steps are found; read only afterwards."""

    name: str
    members: list[int]
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class GroupLabel:
    """Where an execution belongs by its author's word: the same key, the same step."""

    key: str
    name: str


def group(graph: Graph, kept: Sequence[int], labels: Mapping[int, GroupLabel]) -> list[Group]:
    """Put executions of one label together, as far as no two groups then need each other.

    An execution joins an earlier group only if all it takes from elsewhere was made before that group began, and if
    it makes nothing anew that another group took from there in between. By that rule the order of the groups' first
    members is an order in which they can run, and a group's last value of a name is the one that others take.
    """
    groups: list[Group] = []
    latest: dict[str, Group] = {}
    taken: set[str] = set()
    wanted = set(kept)
    for position in kept:
        label = labels[position]
        found = latest.get(label.key)
        if found is None or (found is not groups[-1] and not _may_join(graph, found, position, wanted)):
            found = Group(_free(label.name, taken), [])
            groups.append(found)
            latest[label.key] = found
        found.members.append(position)
    return groups


def _may_join(graph: Graph, group: Group, position: int, kept: set[int]) -> bool:
    members = {*group.members, position}
    made_before = all(m in members or m < group.members[0] for m in graph.producers[position].values())
    return made_before and not any(user < position and user in kept for _, user, _ in _overwritten(graph, members))


def _overwritten(graph: Graph, members: set[int]) -> Iterator[tuple[int, int, str]]:
    """Find (maker, user, name): others that took a value which a later one of these executions makes anew."""
    for maker in members:
        for user, name in graph.users.get(maker, ()):
            if user not in members and any(m > maker and graph.rebinds(m, name) for m in members):
                yield maker, user, name


def overwritten(graph: Graph, groups: Sequence[Group]) -> list[tuple[int, int, str]]:
    """Return (maker, user, reason) where merging left a group that makes a value anew after another group took it."""
    return [
        (maker, user, f"{name!r} is made anew after {other.name!r} took it")
        for each in groups
        for maker, user, name in _overwritten(graph, set(each.members))
        for other in groups
        if user in other.members
    ]


def merge(graph: Graph, groups: list[Group], together: Iterable[tuple[int, int, str]]) -> list[Group]:
    """Make one step of those that a border would break.

    Parameters
    ----------
    together : (maker, user, reason): positions of executions that must run in one process.

    Everything between the two in order joins them: it is the simplest cut that is always right.
    """
    for maker, user, reason in together:
        first = next(i for i, g in enumerate(groups) if maker in g.members)
        last = next(i for i, g in enumerate(groups) if user in g.members)
        if first == last:
            continue
        first, last = min(first, last), max(first, last)
        joined = Group(groups[first].name, sorted(m for g in groups[first : last + 1] for m in g.members))
        joined.notes = [note for g in groups[first : last + 1] for note in g.notes]
        others = ", ".join(repr(g.name) for g in groups[first + 1 : last + 1])
        joined.notes.append(f"holds what the notebook calls {others} too: {reason}")
        groups[first : last + 1] = [joined]
    return groups


def _free(name: str, taken: set[str]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}_{number}"
    taken.add(free)
    return free


def identifier(text: str, otherwise: str) -> str:
    """Make a Python name of a heading: ascii letters, digits and underscores, at most 40 of them."""
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
    """Name what a cell does by what it calls, for notebooks without headings."""
    return next((name for name, found in STAGES if found(source)), "prepare")
