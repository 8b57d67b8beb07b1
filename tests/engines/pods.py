"""What a kubelet does with a container, done here: variables, command, volumes; the image is the engines'."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.engines.demos import ENGINES

REFERENCE = re.compile(r"\$(?:(\$)|\(([^)]*)\))")


@dataclass(frozen=True)
class Cluster:
    """What the objects of a bundle find in a cluster.

    Attributes
    ----------
    bundle : the folder that the image was built from.
    folders : where a container mounts something -> what is there.
    secrets, configs : object -> key -> value.
    fields : what the downward API says of a pod.
    """

    bundle: Path
    folders: Mapping[str, Path]
    secrets: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    configs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)

    def run(self, container: Mapping[str, Any]) -> subprocess.CompletedProcess[bytes]:
        """Run a container to its end."""
        variables = {one["name"]: self._value(one) for one in container.get("env", ())}
        mounted = {mount["mountPath"]: self.folders[mount["mountPath"]] for mount in container["volumeMounts"]}
        words = [expand(word, variables) for word in [*container["command"], *container["args"]]]
        assert words[0] == "python"
        words = [str(mounted.get(word, word)) for word in words[1:]]
        env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(self.bundle / "src"), **variables}
        command = [str(ENGINES / "python"), *words]
        return subprocess.run(command, env=env, cwd=self.bundle, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def _value(self, variable: Mapping[str, Any]) -> str:
        ((kind, where),) = variable["valueFrom"].items()
        if kind == "fieldRef":
            return self.fields[where["fieldPath"]]
        found = {"secretKeyRef": self.secrets, "configMapKeyRef": self.configs}[kind]
        return found[where["name"]][where["key"]]


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Put variables into a word as Kubernetes documents it: ``$(NAME)``, ``$$`` for ``$``; unknown ones stay.

    >>> expand("a=$(A) $$(A) $(B) $", {"A": "$(A)$$"})
    'a=$(A)$$ $(A) $(B) $'
    """
    return REFERENCE.sub(lambda found: found[1] or variables.get(found[2], found[0]), text)
