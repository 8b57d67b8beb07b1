"""Alert that a run failed, by one web request to an address in an environment variable."""

from __future__ import annotations

import json
import os
from urllib.error import URLError
from urllib.request import Request, urlopen

from ..errors import PipelineError
from ..model.pipeline import Pipeline
from ..storage.store import Store

PATIENCE_SECONDS = 30


def alert(pipeline: Pipeline, store: Store, run: str, variable: str) -> str:
    """Post the outcome of a run to the address in an environment variable; return the text that was posted.

    The body is JSON ``{"text", "pipeline", "run", "status", "error"}``: chat rooms show its `text`.

    Raises
    ------
    PipelineError
        The variable is not set or holds no web address, or the address does not accept the request.
    """
    where = address(variable)
    facts = store.run(run) or {}
    status, error = facts.get("status", "failed"), facts.get("error") or ""
    text = f"pipeline {pipeline.name}: run {run} {'failed' if status == 'running' else status}"
    text += f": {error}" if error else ""
    body = {"text": text, "pipeline": pipeline.name, "run": run, "status": status, "error": error}
    request = Request(where, json.dumps(body).encode(), {"Content-Type": "application/json"}, method="POST")
    try:
        with urlopen(request, timeout=PATIENCE_SECONDS) as answer:
            answer.read()
    except (URLError, OSError) as fault:
        reason = getattr(fault, "reason", fault)
        raise PipelineError(
            f"the alert for run {run!r} was not taken ({reason}): see the address in {variable!r}"
        ) from fault
    return text


def address(variable: str) -> str:
    """Return the web address that an environment variable holds, or raise `PipelineError`."""
    url = os.environ.get(variable, "")
    if not url.startswith(("http://", "https://")):
        raise PipelineError(f"the environment variable {variable!r} holds no web address: set it to where alerts go")
    return url
