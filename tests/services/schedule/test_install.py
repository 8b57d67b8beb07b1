"""The scheduler begins with the machine: units that systemd reads, a line that Debian's cron takes and starts."""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.services.schedule.install import Autostart, Installation
from mlops_jupyter.workspace import Workspace

from .conftest import ROOT

CRON = ROOT / ".venvs" / "cron"

HOSTILE = 'a b%c\'d "é" $HOME; $(x) #y'


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project in a folder with a name that breaks what is pasted."""
    folder = tmp_path / HOSTILE
    Workspace(folder).close()
    return folder


def called(project: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    command = [sys.executable, "-m", "mlops_jupyter", "scheduler", *words]
    return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)


@pytest.mark.parametrize("python", ["/usr/bin/env", "/opt/my pythons/$x%h;/bin/python"])
def test_systemd_reads_the_unit(project: Path, tmp_path: Path, python: str) -> None:
    installation = Installation(project, python)
    file = tmp_path / f"{installation.mark}.service"
    file.write_text(installation.unit)
    analyze = ["systemd-analyze", "--user", "verify", str(file)]
    done = subprocess.run(analyze, env={**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}, capture_output=True, text=True)
    if "my pythons" in python:  # it read the path as it is meant, and found that there is no such file
        assert f"Command {python} is not executable" in done.stderr
    else:
        assert (done.returncode, done.stderr) == (0, "")


def test_a_dry_run_writes_nothing(project: Path, tmp_path: Path) -> None:
    home = {"XDG_CONFIG_HOME": str(tmp_path / "home")}
    done = called(project, "install", "--systemd", "--dry-run", **home)
    assert done.returncode == 0
    assert f"WorkingDirectory={str(project).replace('%', '%%')}\n" in done.stdout
    done = called(project, "install", "--cron", "--dry-run", **home)
    assert done.returncode == 0
    assert done.stdout.startswith("@reboot cd ")
    assert not (tmp_path / "home").exists()


def test_where_systemd_does_not_answer_nothing_is_left(project: Path, tmp_path: Path) -> None:
    home = {"XDG_CONFIG_HOME": str(tmp_path / "home"), "XDG_RUNTIME_DIR": str(tmp_path), "DBUS_SESSION_BUS_ADDRESS": ""}
    done = called(project, "install", "--systemd", **home)
    assert done.returncode == 2
    assert "`systemctl --user daemon-reload` failed (" in done.stderr
    assert done.stderr.endswith("mend that, or use --cron\n")
    assert done.stderr.count("\n") == 1
    assert [f for f in (tmp_path / "home").rglob("*") if f.is_file()] == []


def test_what_can_not_be_installed_is_one_line(project: Path, tmp_path: Path) -> None:
    for root in (tmp_path / "a\nb", tmp_path / "ends in a space "):
        with pytest.raises(UserError, match="give the folder a plainer name"):
            Installation(root)
    with pytest.raises(UserError, match="use --cron, or a Python whose path has no quotes"):
        Installation(tmp_path, "/opt/'3'/python").text(Autostart.SYSTEMD)
    with pytest.raises(UserError, match="too long for a line of cron"):
        Installation(tmp_path / ("x" * 200) / ("y" * 200) / ("z" * 200) / ("w" * 200) / ("v" * 200)).text(
            Autostart.CRON
        )
    done = called(project, "install", "--cron", PATH="/nowhere")
    assert (done.returncode, done.stderr) == (
        2,
        "mlops-jupyter: there is no crontab here: install cron, or use --systemd\n",
    )


def private(folder: Path, command: str) -> list[str]:
    """A command of the shell where cron's folders are new and empty: no crontab of this machine is seen or changed."""
    assert CRON.is_dir(), "cron is not here: run `make .venvs/cron/.ready`"
    assert os.geteuid() == 0, "cron's folders belong to root: run this as root"
    shutil.copytree("/etc/pam.d", folder / "pam.d")
    shutil.copyfile(CRON / "etc/pam.d/cron", folder / "pam.d" / "cron")
    (folder / "cron.d").mkdir()
    laid = f"""
set -e
mount -t tmpfs tmpfs /var/spool
mkdir -p -m 755 /var/spool/cron/crontabs /etc/cron.d
mount -t tmpfs tmpfs /run
mount --bind {folder / "pam.d"} /etc/pam.d
mount --bind {folder / "cron.d"} /etc/cron.d
export PATH={CRON}/usr/bin:{CRON}/usr/sbin:$PATH PYTHONPATH={ROOT}
{command}
"""
    return ["unshare", "--mount", "--propagation", "private", "sh", "-c", laid]


@pytest.mark.needs_root("it mounts cron's folders anew")
def test_debians_cron_takes_the_line_and_starts_the_scheduler(project: Path, tmp_path: Path) -> None:
    """Beside a line of the user's own, installed twice, started by the daemon, and taken away again."""
    (project / ".mlops" / "scheduler.env").write_text(f"PYTHONPATH={shlex.quote(str(ROOT))}\nOPS='json://a b'\n")
    scheduler = f"{shlex.quote(sys.executable)} -m mlops_jupyter scheduler"
    own = "5 4 * * * echo 100\\% mine"
    command = f"""
echo {shlex.quote(own)} | crontab -
cd {shlex.quote(str(project))}
{scheduler} install --cron
{scheduler} install --cron
crontab -l > {tmp_path}/installed
crontab -n {tmp_path}/installed
cron -f & daemon=$!
n=0
until grep -q "scheduler started" .mlops/scheduler.log 2>/dev/null; do n=$((n+1)); test $n -lt 200; sleep 0.1; done
cp /proc/$(cat .mlops/scheduler.lock)/environ {tmp_path}/environ
kill $(cat .mlops/scheduler.lock)
until grep -q "scheduler ended" .mlops/scheduler.log; do sleep 0.1; done
kill $daemon
{scheduler} uninstall
{scheduler} uninstall
crontab -l > {tmp_path}/after
"""
    done = subprocess.run(private(tmp_path, command), capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr
    installed = (tmp_path / "installed").read_text().splitlines()
    assert installed == [own, Installation(project.resolve()).line]
    assert b"OPS=json://a b" in (tmp_path / "environ").read_bytes().split(b"\0")
    assert (tmp_path / "after").read_text() == f"{own}\n"
    assert "removed the line of the crontab\nnothing is installed" in done.stdout
    assert [p for p in psutil.process_iter(["cwd"]) if p.info["cwd"] == str(project)] == []
