"""The bundle's image, really built by buildah on a base that debootstrap made, and the demos run in it.

Needs root on Debian and `make containers`, which installs both and makes the base. Registries are not asked: the base
stands in for the official image of Python under the name that the recipe gives it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml

from tests.engines.demos import DEMOS, DIAMOND, ENGINES, ROOT, Demo, bundle, proven

BASE = ROOT / ".venvs" / "containers" / "base"
NAME = f"docker.io/library/python:{sys.version_info[0]}.{sys.version_info[1]}-slim-bookworm"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.needs_root("buildah runs containers by chroot"),
]


class Buildah:
    """Buildah with a storage of its own."""

    def __init__(self, folder: Path) -> None:
        self._storage = ["--storage-driver", "vfs", "--root", str(folder / "root"), "--runroot", str(folder / "run")]

    def __call__(self, *words: str | Path, code: int = 0) -> str:
        done = subprocess.run(
            ["buildah", *self._storage, *map(str, words)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=900,
        )  # fmt: skip
        said = done.stdout.decode(errors="replace")
        assert done.returncode == code, f"buildah {' '.join(map(str, words))}:\n{said[-6000:]}"
        return said.strip()

    def run(self, image: str, command: list[str], mounts: dict[Path, str], code: int = 0) -> str:
        """Run a command in a fresh container of an image, as the user that the image names."""
        container = self("from", "--pull-never", image).splitlines()[-1]
        volumes = [word for here, there in mounts.items() for word in ("-v", f"{here}:{there}")]
        try:
            return self("run", "--isolation", "chroot", *volumes, container, "--", *command, code=code)
        finally:
            self("rm", container)


@pytest.fixture(scope="module")
def buildah(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Buildah]:
    """Buildah, with the base under the name that the recipe asks for."""
    assert (BASE / "usr" / "bin" / "python3").exists(), "there is no base image here: run `make containers` as root"
    storage = tmp_path_factory.mktemp("buildah")
    made = Buildah(storage)
    container = made("from", "scratch")
    made("add", "-q", container, BASE, "/")
    # The base reaches packages as this machine does.
    settings = tmp_path_factory.mktemp("pip") / "pip.conf"
    told = pip_settings()
    settings.write_text("[global]\n" + "".join(f"{n} = {v}\n" for n, v in told.items()))
    made("add", "-q", container, settings, "/etc/pip.conf")
    for path in named({"certificates": str(CERTIFICATES), **told}):
        made("add", "-q", container, path, path)
    made("config", "--env", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", container)
    made("commit", "-q", container, NAME)
    made("rm", container)
    yield made
    shutil.rmtree(storage)  # gigabytes


def pip_settings() -> dict[str, str]:
    """What pip is told on this machine, by its files and its environment."""
    said = subprocess.run([sys.executable, "-m", "pip", "config", "list"], stdout=subprocess.PIPE, check=True).stdout
    pairs = (line.partition("=") for line in said.decode().splitlines())
    return {name.rpartition(".")[2]: value.strip("'") for name, _, value in pairs}


def named(settings: Mapping[str, str]) -> list[str]:
    """Files of this machine that settings name, without which pip does not begin: certificates, constraints."""
    words = {word for value in settings.values() for word in value.split()}
    return sorted(word for word in words if word.startswith("/") and Path(word).is_file())


@pytest.fixture(scope="module")
def images(buildah: Buildah, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The bundles of the demos by the names of their images, all built."""
    folder = tmp_path_factory.mktemp("bundles")
    found = {demo.name: bundle(demo, folder, "docker") for demo in DEMOS}
    for name, laid in found.items():
        (laid / ".env").write_text("API_KEY=hush\n")
        (laid / "src" / "__pycache__").mkdir()
        buildah("bud", "-q", "--isolation", "chroot", "--pull-never", "-t", name, laid)
    return found


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A folder as a fresh volume is: the image's user may write it."""
    folder = tmp_path / "store"
    folder.mkdir()
    os.chown(folder, 10001, 10001)
    for above in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        above.chmod(0o755)  # pytest's own are root's alone
    return folder


@pytest.mark.ran("docker")
@pytest.mark.parametrize("demo", DEMOS, ids=lambda demo: demo.name)
def test_the_image_gives_the_values(demo: Demo, buildah: Buildah, images: dict[str, Path], store: Path) -> None:
    service = yaml.safe_load((images[demo.name] / "compose.yaml").read_text())["services"][demo.name]
    mounts = {store: "/store"}
    if "--data" in service["command"]:
        (store.parent / "data").mkdir()
        mounts[store.parent / "data"] = "/data"
    buildah.run(demo.name, ["python", "-m", demo.name, *service["command"]], mounts)
    run = proven(images[demo.name], store, demo)
    said = buildah.run(demo.name, ["python", "-m", demo.name, "check", "--store", "/store", "--run", run], mounts)
    assert said.splitlines()[-1] == "identical"
    assert {path.lstat().st_uid for path in store.rglob("*")} == {10001}


@pytest.mark.ran("docker")
def test_the_image_takes_parameters(buildah: Buildah, images: dict[str, Path], store: Path) -> None:
    given = [word for name, value in {"count": "6", "rate": "2.0", "verbose": "false", "code": '"1e3"'}.items()
             for word in ("-p", f"{name}={value}")]  # fmt: skip
    buildah.run("diamond", ["python", "-m", "diamond", "run", "--store", "/store", *given], {store: "/store"})
    proven(images["diamond"], store, DIAMOND, then=True)


@pytest.mark.ran("docker")
def test_what_is_in_the_image(buildah: Buildah, images: dict[str, Path]) -> None:
    assert buildah.run("linear", ["id", "-u"], {}) == "10001"
    assert buildah.run("linear", ["find", "/app", "-name", ".env", "-o", "-name", "__pycache__"], {}) == ""
    assert "not found" in buildah.run("linear", ["sh", "-c", "ls /venv/bin/pip 2>&1 || echo not found"], {})
    said = buildah("inspect", "--type", "image", "linear")
    assert "hush" not in said
    assert '"User": "10001"' in said
    assert '"Entrypoint": [' in said
    assert '"python"' in said


ABOVE = re.compile(r"docker build -t (REGISTRY/\S+) (?:-f - (\S+)|-) <<'END'\n(.*?\n)END\n", re.DOTALL)


@pytest.mark.ran("flyte", "metaflow")
@pytest.mark.parametrize("system", ["flyte", "metaflow"])
def test_what_the_readme_builds_above_it(
    system: str, buildah: Buildah, images: dict[str, Path], store: Path, tmp_path: Path
) -> None:
    """The image has what the system starts in it, where it starts it, and the steps still have their own packages."""
    laid = bundle(DIAMOND, tmp_path, system)
    ((image, context, recipe),) = ABOVE.findall((laid / "README.md").read_text())
    (tmp_path / "recipe").write_text(recipe)
    image = image.lower()
    about = ["-q", "--isolation", "chroot", "--pull-never", "-t", image, "-f", tmp_path / "recipe"]
    (tmp_path / "empty").mkdir()
    buildah("bud", *about, laid / context if context else tmp_path / "empty")
    mounts = {store: "/store"}
    if system == "flyte":
        buildah.run(image, ["pyflyte", "run", "workflows/diamond.py", "diamond", "--store", "/store"], mounts)
    else:  # it unpacks the flow and itself into the working folder
        code = tmp_path / "code"
        shutil.copytree(next(ENGINES.parent.glob("lib/*/site-packages/metaflow")), code / "metaflow")
        shutil.copy(laid / "flow.py", code)
        places = "PIPELINE_HOME=/app PIPELINE_STORE=/store USERNAME=someone"
        started = f"mkdir metaflow && cd metaflow && cp -r /code/. . && {places} python flow.py run"
        check = 'test -n "$METAFLOW_SKIP_INSTALL_DEPENDENCIES" && python -c "import boto3"'
        buildah.run(image, ["sh", "-c", f"{check} && {started}"], {**mounts, code: "/code"})
    proven(laid, store, DIAMOND)
