"""Run by an interpreter that has SageMaker's SDK: `check FOLDER...`, or `run FOLDER BUNDLE PYTHON GIVEN`.

The SDK makes the pipeline of a definition anew, out of its own classes, and compiles it: what it says must be the file.
`run` has the SDK's own local executor run it, with the parameters GIVEN (JSON). That would have Docker start
containers; here the words of each are run with an interpreter, on the bundle.
"""

import gzip
import json
import os
import subprocess
import sys
from pathlib import Path

os.environ |= {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "eu-west-1"}
os.environ |= {"AWS_EC2_METADATA_DISABLED": "true", "SAGEMAKER_TELEMETRY_OPT_OUT": "true"}

import botocore
from botocore.model import ServiceModel
from botocore.validate import ParamValidator
from sagemaker.core.processing import Processor
from sagemaker.core.workflow.execution_variables import ExecutionVariables
from sagemaker.core.workflow.functions import Join
from sagemaker.core.workflow.parameters import ParameterString
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.mlops.local import LocalPipelineSession
from sagemaker.mlops.workflow.pipeline import Pipeline
from sagemaker.mlops.workflow.steps import ProcessingStep

VARIABLES = {"Execution.PipelineExecutionId": ExecutionVariables.PIPELINE_EXECUTION_ID}


def made(definition, session):
    """Return the pipeline that a definition says, out of the SDK's classes."""
    parameters = {
        f"Parameters.{one['Name']}": ParameterString(name=one["Name"], default_value=one.get("DefaultValue"))
        for one in definition["Parameters"]
    }

    def value(found):
        if not isinstance(found, dict):
            return found
        ((kind, what),) = found.items()
        if kind == "Std:Join":
            return Join(on=what["On"], values=[value(part) for part in what["Values"]])
        return {**parameters, **VARIABLES}[what]

    def step(facts):
        asked = facts["Arguments"]
        machine = asked["ProcessingResources"]["ClusterConfig"]
        words = asked["AppSpecification"]
        processor = Processor(
            role=value(asked["RoleArn"]),
            image_uri=value(words["ImageUri"]),
            entrypoint=words["ContainerEntrypoint"],
            instance_count=machine["InstanceCount"],
            instance_type=machine["InstanceType"],
            volume_size_in_gb=machine["VolumeSizeInGB"],
            max_runtime_in_seconds=asked["StoppingCondition"]["MaxRuntimeInSeconds"],
            sagemaker_session=session,
        )
        run = processor.run(arguments=[value(word) for word in words["ContainerArguments"]])
        return ProcessingStep(name=facts["Name"], step_args=run, depends_on=facts.get("DependsOn"))

    steps = [step(facts) for facts in definition["Steps"]]
    return Pipeline(
        name="p",
        parameters=list(parameters.values()),
        pipeline_experiment_config=None,
        steps=steps,
        sagemaker_session=session,
    )


def faults(definition):
    """Yield what SageMaker's own model of a processing job says against the steps, their parameters put in."""
    values = {f"Parameters.{one['Name']}": one.get("DefaultValue", "arn:aws:iam::012345678901:role/x")
              for one in definition["Parameters"]} | {"Execution.PipelineExecutionId": "x"}  # fmt: skip

    def put_in(found):
        if isinstance(found, list):
            return [put_in(part) for part in found]
        if not isinstance(found, dict):
            return found
        if "Get" in found:
            return values[found["Get"]]
        if "Std:Join" in found:
            return found["Std:Join"]["On"].join(map(str, put_in(found["Std:Join"]["Values"])))
        return {key: put_in(part) for key, part in found.items()}

    for step in definition["Steps"]:
        yield from said("sagemaker", "CreateProcessingJob", {"ProcessingJobName": "x", **put_in(step["Arguments"])})


def said(service, operation, asked):
    """Yield what the model of a service says against a request; lengths and enumerations too, which botocore skips."""
    path = sorted(Path(botocore.__file__).parent.glob(f"data/{service}/*/service-2.json.gz"))[-1]
    shape = ServiceModel(json.loads(gzip.decompress(path.read_bytes()))).operation_model(operation).input_shape
    if report := ParamValidator().validate(asked, shape).generate_report():
        yield report
    yield from strays(asked, shape)


def strays(value, shape):
    if shape.type_name == "structure":
        for name, part in value.items():
            yield from strays(part, shape.members[name])
    elif shape.type_name == "list":
        yield from too_long(value, shape)
        for part in value:
            yield from strays(part, shape.member)
    elif shape.type_name == "string":
        yield from too_long(value, shape)
        if shape.enum and value not in shape.enum:
            yield f"{value} is none of {shape.name}"


def too_long(value, shape):
    if len(value) > shape.metadata.get("max", len(value)):
        yield f"{shape.name}: {value} is too long"


class Containers:
    """In the place of the client by which the local executor starts jobs: runs their words with an interpreter."""

    def __init__(self, bundle, python):
        self.bundle, self.python = bundle, python

    def create_processing_job(self, name, **asked):
        """Run a job to its end."""
        words = asked["AppSpecification"]
        command = [*words["ContainerEntrypoint"], *words["ContainerArguments"]]
        assert command[0] == "python"
        env = {"PATH": os.environ["PATH"], "PYTHONPATH": f"{self.bundle}/src"}
        subprocess.run([self.python, *command[1:]], cwd=self.bundle, env=env, check=True)

    def describe_processing_job(self, name):
        """Return what is known of a job."""
        return {"ProcessingJobName": name}


def check(folder):
    """Return the pipeline of a folder's files, which are as the SDK and the models of the services have them."""
    definition = json.loads((folder / "pipeline.json").read_text())
    found = list(faults(definition))
    if (folder / "schedule.json").exists():
        found += said("scheduler", "CreateSchedule", json.loads((folder / "schedule.json").read_text()))
    assert not found, found
    pipeline = made(definition, PipelineSession(default_bucket="none"))
    compiled = {key: value for key, value in json.loads(pipeline.definition()).items() if value is not None}
    assert compiled == definition, f"the SDK compiles\n{json.dumps(compiled)}\nand not\n{json.dumps(definition)}"
    return pipeline


def run(pipeline, bundle, python, given):
    """Run a pipeline to its end by the SDK's local executor."""
    session = LocalPipelineSession(default_bucket="none")
    session.sagemaker_client = Containers(bundle, python)
    session.create_pipeline(pipeline, "")
    ended = session.start_pipeline_execution("p", PipelineParameters=json.loads(given))
    assert ended.status == "Succeeded", f"{ended.status}: {ended.failure_reason}"


if __name__ == "__main__":
    if sys.argv[1] == "check":
        for folder in sys.argv[2:]:
            check(Path(folder))
    else:
        run(check(Path(sys.argv[2])), *sys.argv[3:])
