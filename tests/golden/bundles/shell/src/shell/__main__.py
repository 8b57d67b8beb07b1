"""Run the pipeline: `python -m shell run --store out`."""

import sys

from shell.pipeline import PIPELINE
from shell.runtime.cli.main import main

if __name__ == "__main__":
    sys.exit(main(PIPELINE, sys.argv[1:]))
