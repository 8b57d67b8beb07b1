"""Cron as croniter reads it: the dialect of Airflow and of others that are built on it.

It parts from crontab(5) in three places: ``5-5`` means "every"; it fires on day-of-month OR day-of-week whenever both
are restricted, also where one begins with ``*`` (then crontab asks for both); and a range of all days does not count as
restricted, though it does in crontab. What it does when the clocks change is each system's own matter.
"""

from __future__ import annotations

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.services.schedule.clock import check
from mlops_jupyter.services.schedule.expression import MACROS, Cron, parse

EVERY = (range(60), range(24), range(1, 32), range(1, 13), range(7))
"""All numbers of each field; Sunday is 0."""

Fields = list[tuple[int, ...]]


def spelled(expression: str, system: str) -> str:
    """Return an expression that croniter fires at the instants crontab(5) means: the same text where that is right.

    Raises
    ------
    UserError
        It is no cron expression, or the system (named in the line) cannot fire so.

    Examples
    --------
    >>> spelled("0 6 * * mon-fri", "Airflow")
    '0 6 * * mon-fri'
    >>> spelled("5-5 6 * * 7", "Airflow")
    '5 6 * * 0'
    """
    check(expression)
    meant = _meant(parse(expression), expression, system)
    text = expression.strip().lower()
    text = MACROS.get(text, text)
    return text if _read(text) == meant else " ".join(map(_field, meant, EVERY))


def _meant(cron: Cron, expression: str, system: str) -> Fields:
    fields = [cron.minutes, cron.hours, cron.days, cron.months, cron.weekdays]
    both_restricted = len(cron.days) < len(EVERY[2]) and len(cron.weekdays) < len(EVERY[4])
    if both_restricted and not cron.either:
        raise UserError(
            f"cron {expression!r} asks for days that match both day-of-month and day-of-week, but {system} fires on "
            f"either: restrict one of them"
        )
    if cron.either and not both_restricted:  # either, and one of them is every day
        fields[2], fields[4] = tuple(EVERY[2]), tuple(EVERY[4])
    return fields


def _field(numbers: tuple[int, ...], every: range) -> str:
    return "*" if len(numbers) == len(every) else ",".join(map(str, numbers))


def _read(text: str) -> Fields:
    from croniter import CroniterError, croniter

    try:
        fields = croniter(text).expanded
    except CroniterError:
        return []
    return [
        tuple(every if "*" in field else sorted(int(n) % 7 if every == EVERY[4] else int(n) for n in field))
        for field, every in zip(fields, EVERY, strict=True)
    ]
