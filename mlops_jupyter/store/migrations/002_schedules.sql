-- Schedules of every kind. `wanted` is JSON: what a plan says of a schedule beside cron and time zone. `policy` is JSON
-- too: retries, timeout, alerts. `seen` is what lay at the place whose data is waited for.
ALTER TABLE schedule ADD COLUMN package TEXT NOT NULL DEFAULT '';
ALTER TABLE schedule ADD COLUMN wanted TEXT NOT NULL DEFAULT '{}';
ALTER TABLE schedule ADD COLUMN policy TEXT NOT NULL DEFAULT '{}';
ALTER TABLE schedule ADD COLUMN paused REAL;
ALTER TABLE schedule ADD COLUMN resumed REAL;
ALTER TABLE schedule ADD COLUMN seen TEXT;
ALTER TABLE schedule ADD COLUMN told REAL; -- up to here it was said which ticks did not run

-- New data that a schedule waited for.
CREATE TABLE schedule_arrival (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    schedule TEXT NOT NULL REFERENCES schedule (id),
    at REAL NOT NULL,
    files TEXT NOT NULL
);
CREATE INDEX schedule_arrival_by_schedule ON schedule_arrival (schedule, at);

-- What has to be said of schedules. `sent` is when it was; `next` is when it is tried, or tried again.
CREATE TABLE schedule_alert (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    schedule TEXT NOT NULL REFERENCES schedule (id),
    run TEXT,
    kind TEXT NOT NULL CHECK (kind IN ('failure', 'recovery', 'missing')),
    text TEXT NOT NULL,
    created REAL NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    next REAL NOT NULL,
    sent REAL,
    error TEXT
);
CREATE INDEX schedule_alert_open ON schedule_alert (next) WHERE sent IS NULL;
CREATE INDEX schedule_run_by_status ON schedule_run (status, schedule);
