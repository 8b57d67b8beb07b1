"""Check MLflow's address, and that its store or server answers, without importing MLflow (which takes seconds)."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import SplitResult, unquote, urlsplit

from mlops_jupyter.services.doctor.check_result import CheckResult, CheckStatus

NAME = "mlflow"
ANSWER_SECONDS = 5.0
DATABASES = ("postgresql", "mysql", "mssql", "oracle")
HOSTED = ("databricks", "databricks-uc", "uc", "s3", "gs", "wasbs", "abfss", "hdfs", "dbfs")
FORMS = "write sqlite:////absolute/path.db, http://host:port or a folder into MLFLOW_TRACKING_URI"


def look(uri: str, folder: Path) -> CheckResult:
    """Check that MLflow at an address can take runs and models.

    Parameters
    ----------
    uri : MLflow's address.
    folder : the project's `.mlops`, which need not exist yet.
    """
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError as fault:
        return CheckResult(NAME, CheckStatus.FAULT, f"{shown(uri)!r} is no address: {fault}", FORMS)
    scheme = parts.scheme.split("+")[0]
    if re.match(r"^[\w.-]+:\d+(/|$)", uri):
        return CheckResult(NAME, CheckStatus.FAULT, f"{shown(uri)!r} names no protocol", f"write http://{uri}")
    if scheme in ("http", "https"):
        if not parts.hostname:
            return CheckResult(NAME, CheckStatus.FAULT, f"{shown(uri)!r} names no host", FORMS)
        return _server(uri, parts, port)
    if scheme == "sqlite":
        return _sqlite(uri, folder)
    if scheme in ("", "file") and uri not in HOSTED:
        return _folder(Path(unquote(parts.path)) if scheme else Path(uri))
    if (scheme or uri) in (*DATABASES, *HOSTED):
        return CheckResult(NAME, CheckStatus.OK, f"{shown(uri)} (not asked: that would need its driver)")
    return CheckResult(NAME, CheckStatus.FAULT, f"{shown(uri)!r} has the unknown protocol {scheme!r}", FORMS)


def shown(uri: str) -> str:
    """Return an address without its password."""
    return re.sub(r"(://[^/@:]*):[^/@]*@", r"\1:***@", uri)


def _server(uri: str, parts: SplitResult, port: int | None) -> CheckResult:
    from http.client import HTTPException
    from urllib.request import urlopen

    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    address = f"{parts.scheme}://{host}" + (f":{port}" if port else "") + parts.path.rstrip("/")
    try:
        with urlopen(f"{address}/health", timeout=ANSWER_SECONDS) as answer:
            word = answer.read(100)
    except HTTPError as fault:
        if fault.code in (401, 403):
            advice = "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
            return CheckResult(NAME, CheckStatus.WARNING, f"{shown(uri)} answers, and asks who you are", advice)
        what = f"{shown(uri)} answers with status {fault.code}"
        return CheckResult(NAME, CheckStatus.FAULT, what, "check that the address is MLflow's")
    except (URLError, HTTPException, OSError, ValueError) as fault:
        why = getattr(fault, "reason", None) or fault
        advice = "start it, or unset MLFLOW_TRACKING_URI to use the project's own; nothing is lost, the courier waits"
        return CheckResult(NAME, CheckStatus.FAULT, f"{shown(uri)} does not answer: {why}", advice)
    if word.strip() != b"OK":
        return CheckResult(
            NAME, CheckStatus.WARNING, f"{shown(uri)} answers, but not as MLflow does", "check the address"
        )
    return CheckResult(NAME, CheckStatus.OK, f"server {shown(uri)} answers")


def _sqlite(uri: str, folder: Path) -> CheckResult:
    path = Path(unquote(uri.partition(":///")[2].partition("?")[0]))
    if not path.name or ":///" not in uri:
        return CheckResult(NAME, CheckStatus.FAULT, f"{shown(uri)!r} names no file", FORMS)
    if not path.exists():
        if path.parent != folder and not path.parent.is_dir():
            return CheckResult(
                NAME, CheckStatus.FAULT, f"the folder of {str(path)!r} is not there", "make it, or mend the address"
            )
        return CheckResult(NAME, CheckStatus.OK, f"{str(path)!r} is not there yet; made with the first run")
    try:
        db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=2.0)
        try:
            tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master")}
        finally:
            db.close()
    except sqlite3.Error as fault:
        return CheckResult(
            NAME, CheckStatus.FAULT, f"cannot read {str(path)!r}: {fault}", "move it away, or restore it from a copy"
        )
    if tables and "experiments" not in tables:
        return CheckResult(NAME, CheckStatus.FAULT, f"{str(path)!r} is a database, but not MLflow's", FORMS)
    return CheckResult(NAME, CheckStatus.OK, f"store {str(path)!r} opens")


def _folder(path: Path) -> CheckResult:
    if path.exists() and not path.is_dir():
        return CheckResult(NAME, CheckStatus.FAULT, f"{str(path)!r} is a file", FORMS)
    return CheckResult(NAME, CheckStatus.OK, f"folder {str(path)!r}" + ("" if path.exists() else ", not there yet"))
