"""Vertex AI Pipelines: `vertex/<package>.yaml`, a pipeline of Kubeflow's that Google's cloud runs without a cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mlops_jupyter.core.plan import Plan
from mlops_jupyter.services.cron.portable import utc_or_zone
from mlops_jupyter.services.export.emit import kfp
from mlops_jupyter.services.export.emit.dns_labels import label
from mlops_jupyter.services.export.emit.parameters import unsettable
from mlops_jupyter.services.export.emit.yaml import documents
from mlops_jupyter.services.export.targets import Feature

name = "vertex"
title = "Vertex AI Pipelines"
expresses = frozenset(
    {
        Feature.STEPS,
        Feature.PARAMETERS,
        Feature.SCHEDULE,
        Feature.TIMEZONE,
        Feature.CONCURRENCY,
        Feature.RETRIES,
        Feature.BACKOFF,
        Feature.CPU,
        Feature.MEMORY,
    }
)


def render(plan: Plan) -> Mapping[str, str]:
    """Return the pipeline. It has no alert: that needs a secret, and Vertex AI fills none into the environment.

    Raises
    ------
    UserError
        A name is no identifier, or Vertex AI cannot fire when the schedule says.
    """
    if plan.schedule and plan.schedule.cron:
        utc_or_zone(plan.schedule, title)
    spec = kfp.pipeline(replace(plan, alert=""), _store(plan))
    return {f"vertex/{plan.package}.yaml": documents(spec, ascii_only=True), **kfp.task(plan)}


def _store(plan: Plan) -> str:
    """Return the store's folder in a bucket, as tasks of Vertex AI see it."""
    return f"/gcs/BUCKET/{label(plan.package)}"


def deploy(plan: Plan) -> str:
    """Return how to bring the pipeline to Vertex AI."""
    called, file = label(plan.package), f"vertex/{plan.package}.yaml"
    run = "job.submit()"
    if plan.schedule and plan.schedule.cron:
        fields, place = utc_or_zone(plan.schedule, title)
        run = (
            f'job.create_schedule(cron="TZ={place} {fields}", display_name="{called}", '
            f"max_concurrent_run_count={plan.schedule.concurrency})"
        )
    parts = [
        f"""\
The file is the kind that kfp 2.17 compiles. Build the image, and write its address and the bucket into the pipeline;
tasks see the bucket as the folder `/gcs/BUCKET`:

```sh
docker build -t REGION-docker.pkg.dev/PROJECT/REPOSITORY/{called}:1 .
docker push REGION-docker.pkg.dev/PROJECT/REPOSITORY/{called}:1
sed -i 's#image: {kfp.image(plan)}#image: REGION-docker.pkg.dev/PROJECT/REPOSITORY/{called}:1#' {file}
sed -i 's#/gcs/BUCKET/#/gcs/your-bucket/#' {file}
pip install 'google-cloud-aiplatform[pipelines]'
python - <<'END'
from google.cloud import aiplatform

aiplatform.init(project="PROJECT", location="REGION")
job = aiplatform.PipelineJob(
    display_name="{called}", template_path="{file}", pipeline_root="gs://your-bucket/{called}", parameter_values={{}}
)
{run}
END
```"""
    ]
    parts.append(unsettable(plan, title, kfp.settable).strip())
    return "\n\n".join(filter(None, parts)) + "\n"
