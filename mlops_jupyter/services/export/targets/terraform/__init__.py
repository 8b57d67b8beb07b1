"""Terraform for Google Cloud: `terraform/`, a Cloud Run job of the bundle's image, its bucket, and what starts it.

Written in Terraform's JSON syntax, by a serialiser. Parameters are variables that hold JSON, in which nothing is a
placeholder to Terraform; secrets are those of Secret Manager, by name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.core.plan import Plan, Resources
from mlops_jupyter.services.cron import portable
from mlops_jupyter.services.export.emit import image
from mlops_jupyter.services.export.emit.dns_labels import label
from mlops_jupyter.services.export.emit.kubernetes import memory
from mlops_jupyter.services.export.emit.parameters import passed, unsettable
from mlops_jupyter.services.export.emit.python import identifier
from mlops_jupyter.services.export.targets import Feature

name = "terraform"
title = "Google Cloud, by Terraform"
expresses = frozenset(
    {
        Feature.PARAMETERS,
        Feature.SCHEDULE,
        Feature.TIMEZONE,
        Feature.INTERVAL,
        Feature.RETRIES,
        Feature.BACKOFF,
        Feature.TIMEOUT,
        Feature.CPU,
        Feature.MEMORY,
        Feature.SECRETS,
        Feature.ALERT,
    }
)

GIB = 1 << 30
SIZES = ((1, 4, 0.5), (2, 8, 0.5), (4, 16, 2), (6, 24, 4), (8, 32, 4))
"""Sizes that Cloud Run has: processors, and the most and the least GiB of memory beside them."""

DAY_SECONDS, WEEK_SECONDS = 86_400, 604_800
"""Time limits of a run: where its steps have none, and the longest that Cloud Run allows."""

JOB_NAME_LENGTH, ACCOUNT_LENGTH, BUCKET_LENGTH = 49, 30, 25
"""The longest names; a bucket's also has the project's in it."""

RUNNER = "${google_service_account.runner.member}"


def render(plan: Plan) -> Mapping[str, str]:
    """Return the files of `terraform/`.

    Raises
    ------
    UserError
        A name is no identifier, a step asks for more than Cloud Run has, or Google cannot fire when the schedule says.
    """
    identifier(plan.package, "package")
    for step in plan.steps:
        identifier(step.name, "step")
    own = {
        "project": {"type": "string", "description": "The project that it runs in."},
        "region": {"type": "string", "description": "Where it runs and its bucket lies."},
        "image": {"type": "string", "description": "The bundle's image, as it was pushed."},
    }
    parameters = {
        _variable(parameter): {"type": "string", "default": text, "description": f"The parameter {parameter}, as JSON."}
        for parameter, text in passed(plan).items()
    }
    main = {
        "terraform": {
            "required_version": ">= 1.5",
            "required_providers": {"google": {"source": "hashicorp/google", "version": ">= 7.0, < 8.0"}},
        },
        "provider": {"google": {"project": "${var.project}", "region": "${var.region}"}},
        "resource": {**_storage(plan), **_rights(plan), **_job(plan), **_clock(plan)},
        "output": {"store": {"value": "${google_storage_bucket.store.url}"}},
    }
    files = {"variables": {"variable": {**own, **parameters}}, "main": main}
    texts = {f"terraform/{file}.tf.json": json.dumps(found, indent=2) + "\n" for file, found in files.items()}
    return {**texts, "terraform/.gitignore": ".terraform/\n*.tfstate*\n"}


def _variable(parameter: str) -> str:
    """Return the variable of a parameter; the prefix keeps it apart from Terraform's own words, such as `count`."""
    return f"parameter_{parameter if parameter.isascii() else label(parameter).replace('-', '_')}"


def _storage(plan: Plan) -> dict[str, Any]:
    bucket = label(plan.package, BUCKET_LENGTH)
    return {
        "google_storage_bucket": {
            volume: {
                "name": f"${{var.project}}-{bucket}-{volume}",
                "location": "${var.region}",
                "uniform_bucket_level_access": True,
                "public_access_prevention": "enforced",
            }
            for volume in image.volumes(plan)
        }
    }


def _rights(plan: Plan) -> dict[str, Any]:
    """Return a service account that may do what the job needs, and nothing more."""
    roles = {"store": "roles/storage.objectUser", "data": "roles/storage.objectViewer"}
    buckets = {
        volume: {"bucket": f"${{google_storage_bucket.{volume}.name}}", "role": roles[volume], "member": RUNNER}
        for volume in image.volumes(plan)
    }
    secrets = {
        secret: {"secret_id": secret, "role": "roles/secretmanager.secretAccessor", "member": RUNNER}
        for secret in plan.secrets
    }
    return {
        "google_service_account": {"runner": {"account_id": label(f"mlops_{plan.package}", ACCOUNT_LENGTH)}},
        "google_storage_bucket_iam_member": buckets,
        **({"google_secret_manager_secret_iam_member": secrets} if secrets else {}),
    }


def _job(plan: Plan) -> dict[str, Any]:
    given = (w for parameter in passed(plan) for w in ("-p", f"{parameter}=${{var.{_variable(parameter)}}}"))
    env = [
        {"name": secret, "value_source": {"secret_key_ref": {"secret": secret, "version": "latest"}}}
        for secret in plan.secrets
    ]
    limits = _limits(image.largest(plan))
    container = {
        "image": "${var.image}",
        "args": [*image.run(plan), *given],
        **({"env": env} if env else {}),
        **({"resources": {"limits": limits}} if limits else {}),
        "volume_mounts": [{"name": volume, "mount_path": path} for volume, path in image.volumes(plan).items()],
    }
    volumes = [{"name": volume, "gcs": _mount(volume)} for volume in image.volumes(plan)]
    task = {
        "service_account": "${google_service_account.runner.email}",
        "timeout": f"{min(image.longest(plan) or DAY_SECONDS, WEEK_SECONDS)}s",
        "max_retries": 0,  # steps are tried again within a run
        "containers": [container],
        "volumes": volumes,
    }
    job = {
        "name": label(plan.package, JOB_NAME_LENGTH),
        "location": "${var.region}",
        "deletion_protection": False,  # nothing is kept in it
        "template": {"template": task},
        "depends_on": [f"{kind}.{name}" for kind, named in _rights(plan).items() if "iam" in kind for name in named],
    }
    return {"google_cloud_run_v2_job": {"pipeline": job}}


def _mount(volume: str) -> dict[str, Any]:
    owner = [f"uid={image.USER}", f"gid={image.USER}"]
    bucket = f"${{google_storage_bucket.{volume}.name}}"
    return {"bucket": bucket, "mount_options": owner, "read_only": volume == "data"}


def _limits(wishes: Resources) -> dict[str, str]:
    cpu, size = wishes.cpu or 0, wishes.memory_bytes or 0
    if not cpu and not size:
        return {}
    for processors, most, least in SIZES:
        if cpu <= processors and size <= most * GIB:
            return {"cpu": str(processors), "memory": memory(max(size, int(least * GIB)))}
    raise UserError(
        f"a step asks for {cpu:g} cpu and {size / GIB:g} GiB, and Cloud Run has up to {SIZES[-1][0]} cpu and "
        f"{SIZES[-1][1]} GiB: ask for less, or take another target"
    )


def _clock(plan: Plan) -> dict[str, Any]:
    timed = _timed(plan)
    if not timed:
        return {}
    start = {
        "http_method": "POST",
        "uri": "https://run.googleapis.com/v2/${google_cloud_run_v2_job.pipeline.id}:run",
        "oauth_token": {"service_account_email": "${google_service_account.runner.email}"},
    }
    clock = {"name": label(plan.package, JOB_NAME_LENGTH), "region": "${var.region}", **timed, "http_target": start}
    may = {
        "name": "${google_cloud_run_v2_job.pipeline.name}",
        "location": "${var.region}",
        "role": "roles/run.invoker",
        "member": RUNNER,
    }
    return {"google_cloud_run_v2_job_iam_member": {"clock": may}, "google_cloud_scheduler_job": {"clock": clock}}


def _timed(plan: Plan) -> dict[str, str]:
    timed = portable.cron_and_zone(plan.schedule, "Cloud Scheduler")
    if timed is None:
        return {}
    _, _, days, _, weekdays = timed[0].split()
    if days != "*" and weekdays != "*":
        raise UserError(
            f"cron {timed[0]!r} restricts day-of-month and day-of-week, and Cloud Scheduler does not say what it "
            f"makes of both: restrict one of them"
        )
    return {"schedule": timed[0], "time_zone": timed[1]}


def deploy(plan: Plan) -> str:
    """Return how to bring the pipeline to Google Cloud."""
    job = label(plan.package, JOB_NAME_LENGTH)
    services = ("run", "cloudscheduler", "secretmanager", "iam", "storage")
    secrets = "".join(
        f'printf %s "${secret}" | gcloud secrets create {secret} --data-file=-\n' for secret in plan.secrets
    )
    files = "Newer data files go into the bucket `...-data`, under the names that they have here.\n"
    return f"""\
IMAGE is a name in a registry that Cloud Run may read.

```sh
gcloud services enable {" ".join(f"{service}.googleapis.com" for service in services)}
docker build -t IMAGE . && docker push IMAGE
{secrets}terraform -chdir=terraform init
terraform -chdir=terraform apply -var project=PROJECT -var region=REGION -var image=IMAGE
gcloud run jobs execute {job} --region REGION --wait
```

Parameters are variables that hold JSON. What runs make lies in the bucket that `apply` names.
{files if image.reads_files(plan) else ""}A run that is still under way does not keep the next one from starting.
{unsettable(plan, title)}"""
