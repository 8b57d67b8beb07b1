"""Run by the engines' interpreter: what kfp understands of pipeline files, or a run of one by its local runner."""

import json
import sys
from pathlib import Path

import yaml
from google.protobuf import json_format
from kfp import components, local
from kfp.kubernetes import kubernetes_executor_config_pb2 as kubernetes
from kfp.pipeline_spec import pipeline_spec_pb2 as specs


def read(path: Path) -> dict:
    """Parse a file strictly: a word that Kubeflow does not know raises. Return what it understood."""
    whole, *platform = yaml.load_all(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    json_format.ParseDict(whole["deploymentSpec"], specs.PipelineDeploymentConfig())
    spec = json_format.ParseDict(whole, specs.PipelineSpec())
    for document in platform:
        json_format.ParseDict(document, specs.PlatformSpec())
        for executor in document["platforms"]["kubernetes"]["deploymentSpec"]["executors"].values():
            json_format.ParseDict(executor, kubernetes.KubernetesExecutorConfig())
    return json_format.MessageToDict(spec)


def run(path: Path, arguments: dict) -> None:
    """Run a file as it lies, in this environment."""
    local.init(local.SubprocessRunner(use_venv=False), raise_on_error=True)
    components.load_component_from_file(str(path))(**arguments)


if __name__ == "__main__":
    if sys.argv[1] == "run":
        run(Path(sys.argv[2]), json.loads(sys.argv[3]))
    else:
        print(json.dumps({path: read(Path(path)) for path in sys.argv[2:]}))
