-- What ran.
CREATE TABLE session (
    id TEXT PRIMARY KEY,
    notebook TEXT,
    pid INTEGER NOT NULL,
    started REAL NOT NULL
);
CREATE TABLE execution (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    session TEXT NOT NULL REFERENCES session (id),
    cell TEXT,
    step TEXT,
    source TEXT NOT NULL,
    started REAL NOT NULL,
    seconds REAL NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('ok', 'error', 'interrupted')),
    error TEXT,
    overhead REAL NOT NULL,
    notes TEXT NOT NULL DEFAULT '[]'
);
CREATE INDEX execution_by_session ON execution (session, id);
CREATE TABLE access (
    execution INTEGER NOT NULL REFERENCES execution (id),
    name TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('read', 'write', 'delete')),
    fingerprint TEXT,
    PRIMARY KEY (execution, name, kind)
) WITHOUT ROWID; -- one tree to write after each cell

-- What was tracked. `mlflow` is the id that MLflow gave, once the courier has carried the row.
CREATE TABLE run (
    id TEXT PRIMARY KEY,
    experiment TEXT NOT NULL,
    name TEXT NOT NULL,
    session TEXT,
    notebook TEXT,
    started REAL NOT NULL,
    ended REAL,
    status TEXT NOT NULL CHECK (status IN ('running', 'finished', 'failed', 'killed')),
    mlflow TEXT
);
CREATE TABLE metric (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    run TEXT NOT NULL REFERENCES run (id),
    key TEXT NOT NULL,
    value REAL, -- NULL stands for NaN, which SQLite cannot hold
    step INTEGER NOT NULL DEFAULT 0,
    time REAL NOT NULL
);
CREATE INDEX metric_by_run ON metric (run, key, id);
CREATE TABLE param (
    run TEXT NOT NULL REFERENCES run (id),
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (run, key)
);
CREATE TABLE tag (
    run TEXT NOT NULL REFERENCES run (id),
    key TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (run, key)
);
CREATE TABLE artifact (
    run TEXT NOT NULL REFERENCES run (id),
    path TEXT NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (run, path)
);

-- Models that were registered here. `version` is MLflow's number, once known.
CREATE TABLE model_version (
    id TEXT PRIMARY KEY,
    model TEXT NOT NULL,
    version INTEGER,
    run TEXT,
    digest TEXT NOT NULL,
    format TEXT NOT NULL,
    created REAL NOT NULL,
    facts TEXT NOT NULL DEFAULT '{}'
);

-- What the courier still has to carry to MLflow; metrics are carried by `courier.carried_metric`.
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    created REAL NOT NULL,
    done REAL,
    attempts INTEGER NOT NULL DEFAULT 0,
    error TEXT,
    answer TEXT
);
CREATE INDEX outbox_open ON outbox (id) WHERE done IS NULL;
CREATE TABLE courier (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    carried_metric INTEGER NOT NULL DEFAULT 0
);
INSERT INTO courier (id) VALUES (1);

-- What runs by the clock.
CREATE TABLE schedule (
    id TEXT PRIMARY KEY,
    bundle TEXT NOT NULL,
    cron TEXT NOT NULL,
    timezone TEXT NOT NULL,
    parameters TEXT NOT NULL DEFAULT '{}',
    data TEXT,
    created REAL NOT NULL,
    removed REAL
);
CREATE TABLE schedule_run (
    id TEXT PRIMARY KEY,
    schedule TEXT NOT NULL REFERENCES schedule (id),
    due REAL NOT NULL,
    started REAL,
    ended REAL,
    status TEXT NOT NULL CHECK (status IN ('running', 'succeeded', 'failed', 'lost')),
    log TEXT,
    outcome TEXT,
    UNIQUE (schedule, due)
);

-- Pipeline steps as the notebook has them now, for panels that cannot ask the kernel.
CREATE TABLE step_view (
    session TEXT NOT NULL REFERENCES session (id),
    name TEXT NOT NULL,
    position INTEGER NOT NULL,
    version TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('fresh', 'stale', 'cached', 'failed')),
    inputs TEXT NOT NULL DEFAULT '[]',
    outputs TEXT NOT NULL DEFAULT '[]',
    updated REAL NOT NULL,
    PRIMARY KEY (session, name)
);

-- Who changed what others rely on: aliases, schedules, exports.
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time REAL NOT NULL,
    who TEXT NOT NULL,
    verb TEXT NOT NULL,
    subject TEXT NOT NULL,
    detail TEXT NOT NULL DEFAULT '{}'
);
