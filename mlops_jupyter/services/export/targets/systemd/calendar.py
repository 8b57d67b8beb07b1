"""A cron expression as `OnCalendar=` of systemd."""

from __future__ import annotations

from mlops_jupyter.core.plan import ScheduleSpec
from mlops_jupyter.services.cron.cron_fields import EVERY, each, every_hour
from mlops_jupyter.services.cron.dst import check_steady, in_utc
from mlops_jupyter.services.cron.expression import parse
from mlops_jupyter.services.cron.ticks import check, zone

WEEKDAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")


def on_calendar(schedule: ScheduleSpec) -> list[str]:
    """Return the expressions that fire when a cron does: two where a day matches by its date or by its weekday.

    Raises
    ------
    UserError
        The expression is invalid or never fires, or systemd would fire otherwise than crontab where the clocks change.

    Examples
    --------
    >>> on_calendar(ScheduleSpec("*/30 6 1 * mon-wed", "Europe/Oslo"))
    ['Mon,Tue,Wed *-*-* 06:00,30:00 Europe/Oslo', '*-*-01 06:00,30:00 Europe/Oslo']
    >>> on_calendar(ScheduleSpec("30 * * * *", "Europe/Oslo"))
    ['*-*-* *:30:00 UTC']
    """
    check(schedule.cron)
    cron, place = parse(schedule.cron), zone(schedule.timezone).key
    if every_hour(cron):  # of an hour that comes twice systemd would leave out one
        cron, place = parse(in_utc(schedule, "systemd")), "UTC"
    check_steady(schedule, "systemd")
    return [
        f"{_weekdays(weekdays)}*-{_list(months, EVERY[3])}-{_list(days, EVERY[2])} "
        f"{_list(hours, EVERY[1])}:{_list(minutes, EVERY[0])}:00 {place}"
        for minutes, hours, days, months, weekdays in reversed(each(cron))
    ]


def _list(numbers: tuple[int, ...], all_of_them: int) -> str:
    return "*" if len(numbers) == all_of_them else ",".join(f"{number:02}" for number in numbers)


def _weekdays(numbers: tuple[int, ...]) -> str:
    return "" if len(numbers) == EVERY[4] else ",".join(WEEKDAYS[number] for number in numbers) + " "
