"""Schedules whose firing times every target is compared with the clock's: cron, zone, from when."""

TICKS = [
    ("0 6 * * 1", "UTC", "2026-02-20T00:00:00+00:00"),
    ("0 9 * * 7", "Europe/Oslo", "2026-03-20T00:00:00+00:00"),  # over both changes of the clocks
    ("*/15 8-18 * * mon-fri", "America/New_York", "2026-03-06T00:00:00+00:00"),
    ("30 * * * *", "Europe/Oslo", "2026-10-24T00:00:00+00:00"),  # the hour that comes twice
    ("5-5 6 1 * 5", "Asia/Kolkata", "2026-01-01T00:00:00+00:00"),  # day of month or of week
    ("0 12 29 2 *", "UTC", "2026-01-01T00:00:00+00:00"),
    ("@weekly", "Europe/Oslo", "2026-01-02T00:00:00+00:00"),
]


def count(cron: str) -> int:
    """Return how many firing times are compared: 50, but for what fires once in four years."""
    return 2 if " 29 2 " in cron else 50
