"""Has the scheduler of a project begin with the machine: a unit of the user's systemd, or an `@reboot` line of cron."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from mlops_jupyter.core.errors import UserError
from mlops_jupyter.runtime.hashing import path_mark

VARIABLES = ".mlops/scheduler.env"
"""In a project: lines `NAME=value` of what the scheduler and its runs find in their environment. Addresses of alerts go
here: the file belongs to the user, and git ignores it."""

LONGEST_LINE = 990
"""cron cuts the command of a longer line."""


class Autostart(Enum):
    """What begins it."""

    SYSTEMD = "systemd"
    """A service of the user's own systemd, which also begins it again when it has died."""
    CRON = "cron"
    """A line of the user's crontab, at the start of the machine."""


@dataclass(frozen=True)
class Installation:
    """One project's. `root` is its folder, which holds `.mlops`; `python` is the interpreter that has this package."""

    root: Path
    python: str = sys.executable

    def __post_init__(self) -> None:
        for path in (str(self.root), self.python):
            if re.search(r"[\x00-\x1f\x7f]|\\$|^\s|\s$", path):
                raise UserError(f"neither systemd nor cron can start in {path!r}: give the folder a plainer name")

    @property
    def mark(self) -> str:
        """What tells this project's entry from those of others; a moved project is another one."""
        word = re.sub(r"[^a-z0-9]+", "-", self.root.name.lower()).strip("-")[:40] or "project"
        return f"mlops-jupyter-{word}-{path_mark(self.root)}"

    @property
    def command(self) -> list[str]:
        """The scheduler's command; `-P`: files of the project must not come before installed packages."""
        return [self.python, "-P", "-m", "mlops_jupyter", "scheduler"]

    @property
    def unit(self) -> str:
        """The unit's text."""
        return "\n".join(
            [
                "[Unit]",
                f"Description=Schedules of {_specifier(self.root.name)} (mlops-jupyter)",
                "",
                "[Service]",
                f"WorkingDirectory={_specifier(str(self.root))}",
                f"EnvironmentFile=-{_specifier(str(self.root / VARIABLES))}",
                f"ExecStart={_executable(self.python)} {' '.join(self.command[1:])}",
                "Restart=always",
                "RestartSec=5",
                "KillMode=mixed",  # the scheduler alone is asked to end, so that it writes down how its runs ended
                "TimeoutStopSec=30",
                "",
                "[Install]",
                "WantedBy=default.target",
                "",
            ]
        )

    @property
    def unit_file(self) -> Path:
        """Where the user's systemd looks for it."""
        home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
        return Path(home) / "systemd" / "user" / f"{self.mark}.service"

    @property
    def line(self) -> str:
        """The crontab's line; in it `%` would end the command."""
        variables = f"if [ -f {VARIABLES} ]; then set -a; . ./{VARIABLES}; fi"
        start = f"exec {shlex.join(self.command)} >>.mlops/scheduler.log 2>&1"
        command = f"cd {shlex.quote(str(self.root))} && {{ {variables}; {start}; }} # {self.mark}"
        line = "@reboot " + command.replace("%", r"\%")
        if len(os.fsencode(line)) > LONGEST_LINE:
            raise UserError(f"the path {str(self.root)!r} is too long for a line of cron: use --systemd")
        return line

    def text(self, how: Autostart) -> str:
        """What would be written."""
        return f"# {self.unit_file}\n{self.unit}" if how is Autostart.SYSTEMD else self.line + "\n"

    def install(self, how: Autostart) -> str:
        """Install it over an earlier one; return what a user should know. Nothing is left of what did not work."""
        if how is Autostart.SYSTEMD:
            self._install_unit()
            after = "it runs now, and whenever you are logged in; `loginctl enable-linger` has it run always"
        else:
            _write_crontab([*self._others(), self.line])
            after = f"it begins when the machine starts; to begin now: (cd {shlex.quote(str(self.root))} && "
            after += f"nohup {shlex.join(self.command)} >>.mlops/scheduler.log 2>&1 &)"
        return f"installed {self.mark}: {after}; environment variables for it go into {str(self.root / VARIABLES)!r}"

    def uninstall(self) -> str:
        """Take away what `install` wrote, and return what that was."""
        gone = []
        if self.unit_file.is_file():
            _systemctl("disable", "--now", self.unit_file.name)
            self.unit_file.unlink()
            _systemctl("daemon-reload")
            gone.append(str(self.unit_file))
        if shutil.which("crontab") and len(kept := self._others()) < len(_crontab()):
            _write_crontab(kept)
            gone.append("the line of the crontab")
        return f"removed {' and '.join(gone)}" if gone else f"nothing is installed for {str(self.root)!r}"

    def _install_unit(self) -> None:
        file = self.unit_file
        before = file.read_text() if file.is_file() else None
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(self.unit)
        except OSError as fault:
            raise UserError(f"cannot write {str(file)!r}: {fault.strerror}; use --cron") from fault
        try:
            _systemctl("daemon-reload")
            _systemctl("enable", "--now", file.name)
        except UserError:
            file.unlink() if before is None else file.write_text(before)
            raise

    def _others(self) -> list[str]:
        return [line for line in _crontab() if not line.endswith(f"# {self.mark}")]


def usual() -> Autostart:
    """What this machine starts services with."""
    return Autostart.SYSTEMD if Path("/run/systemd/system").is_dir() else Autostart.CRON


def _specifier(text: str) -> str:
    return text.replace("%", "%%")


def _executable(path: str) -> str:
    """The first word of systemd's command line: there `$` means itself, and quotes are refused whatever is done."""
    if re.search(r"[\"'\\]", path):
        raise UserError(f"systemd cannot start {path!r}: use --cron, or a Python whose path has no quotes")
    return f'"{_specifier(path)}"'


def _systemctl(*words: str) -> None:
    if not shutil.which("systemctl"):
        raise UserError("there is no systemctl here: use --cron")
    done = subprocess.run(["systemctl", "--user", *words], capture_output=True, text=True)
    if done.returncode:
        why = (done.stderr.strip().splitlines() or ["it gives no reason"])[0]
        raise UserError(f"`systemctl --user {' '.join(words)}` failed ({why}): mend that, or use --cron")


def _crontab() -> list[str]:
    if not shutil.which("crontab"):
        raise UserError("there is no crontab here: install cron, or use --systemd")
    done = subprocess.run(["crontab", "-l"], capture_output=True, text=True)
    if done.returncode and "no crontab" not in done.stderr:
        raise UserError(f"cannot read the crontab: {done.stderr.strip()}")
    return done.stdout.splitlines() if done.returncode == 0 else []


def _write_crontab(lines: Sequence[str]) -> None:
    """cron checks it whole and takes all of it or nothing."""
    text = "".join(f"{line}\n" for line in lines)
    done = subprocess.run(["crontab", "-"], input=text, capture_output=True, text=True)
    if done.returncode:
        raise UserError(f"cron did not take the crontab: {' '.join(done.stderr.split())}")
