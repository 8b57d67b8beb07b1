import os
import subprocess
from collections import Counter
from pathlib import Path

from shell.scripts.counting import words_of


def count(folder):
    """Count."""
    os.environ["LC_ALL"] = "C"
    names = subprocess.run(
        f"ls {folder}",
        shell=True,
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ).stdout.splitlines()
    words = Counter(word for name in names for word in words_of(Path(folder) / name))
    return names, words
