"""A cron expression as crontab(5) writes it, read strictly. Standard library only.

Stricter than libraries, which take six fields, steps without a range, and signs that cron does not know (``L``, ``#``,
``W``, ``H``): what passes here means the same to every target that a plan is exported to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from mlops_jupyter.core.errors import UserError

MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}


class Field(NamedTuple):
    """One of the five fields: its name, the least and greatest number, and the names that stand for numbers."""

    label: str
    low: int
    high: int
    names: tuple[str, ...] = ()


FIELDS = (
    Field("minute", 0, 59),
    Field("hour", 0, 23),
    Field("day-of-month", 1, 31),
    Field("month", 1, 12, ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")),
    Field("day-of-week", 0, 7, ("sun", "mon", "tue", "wed", "thu", "fri", "sat")),
)

_ITEM = re.compile(r"(?:(\*)|(\w+)(?:-(\w+))?)(?:/(\d+))?", re.ASCII)
_SUNDAY = 7


@dataclass(frozen=True)
class Cron:
    """A cron expression, parsed.

    Attributes
    ----------
    minutes, hours, days, months, weekdays : the numbers that match, ascending; weekdays from 0 (Sunday) to 6.
    either : a day matches when day-of-month OR day-of-week does (both are restricted); else both must.
    interval : it goes by the time that passes, see `ticks` on changes of the clocks.
    text : the same five fields in numbers, for libraries; one that begins with ``*`` still does.
    """

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]
    either: bool
    interval: bool
    text: str


def parse(expression: str) -> Cron:
    """Read a five-field expression or a macro; raise `UserError` naming the field that is wrong.

    Examples
    --------
    >>> parse("0 9 * * mon-fri").weekdays
    (1, 2, 3, 4, 5)
    """
    text = expression.strip().lower()
    parts = MACROS.get(text, text).split()
    if len(parts) != len(FIELDS):
        raise UserError(
            f"cron {expression!r} has {len(parts)} field(s), not 5: write 'minute hour day-of-month month day-of-week' "
            f"such as '0 6 * * 1', or one of {', '.join(MACROS)}"
        )
    minutes, hours, days, months, week = (
        _numbers(expression, field, part) for field, part in zip(FIELDS, parts, strict=True)
    )
    weekdays = tuple(sorted({day % _SUNDAY for day in week}))
    return Cron(
        minutes,
        hours,
        days,
        months,
        weekdays,
        either=not (parts[2].startswith("*") or parts[4].startswith("*")),
        interval=parts[0].startswith("*") or parts[1].startswith("*"),
        text=" ".join(map(_plain, parts, (minutes, hours, days, months, weekdays))),
    )


def _plain(part: str, numbers: tuple[int, ...]) -> str:
    """Return a field as the numbers that it names, after its first item if that has the star that cron looks for."""
    star = [part.partition(",")[0]] if part.startswith("*") else []
    return "*" if part == "*" else ",".join([*star, *map(str, numbers)])


def _numbers(expression: str, field: Field, part: str) -> tuple[int, ...]:
    """Expand one field: a list of ``*``, numbers, names and ranges, the first and last with a step."""
    numbers: set[int] = set()
    for item in part.split(","):
        match = _ITEM.fullmatch(item)
        if not match:
            raise _wrong(expression, field, item, "is not a number, name, range, list or step")
        star, first, last, step = match.groups()
        if step is not None and int(step) < 1:
            raise _wrong(expression, field, item, "has a step of 0")
        if step and not star and not last:
            raise _wrong(expression, field, item, f"has a step without a range: write '{first}-{field.high}/{step}'")
        low = field.low if star else _number(expression, field, first)
        high = field.high if star else _number(expression, field, last or first)
        if last == "sun" and high < low:  # `fri-sun`: a week may also end on Sunday
            high = _SUNDAY
        if high < low:
            raise _wrong(expression, field, item, "runs backwards")
        numbers.update(range(low, high + 1, int(step or 1)))
    return tuple(sorted(numbers))


def _number(expression: str, field: Field, word: str) -> int:
    if word in field.names:
        return field.names.index(word) + (field.low if field.label == "month" else 0)
    if not word.isdigit():
        raise _wrong(expression, field, word, "is not a number or name of it")
    number = int(word)
    if not field.low <= number <= field.high:
        raise _wrong(expression, field, word, "is out of range")
    return number


def _wrong(expression: str, field: Field, item: str, what: str) -> UserError:
    names = f" or {field.names[0]}-{field.names[-1]}" if field.names else ""
    return UserError(f"cron {expression!r}: {field.label} {item!r} {what} (takes {field.low}-{field.high}{names})")
