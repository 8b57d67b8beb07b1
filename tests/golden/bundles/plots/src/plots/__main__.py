"""Run the pipeline: `python -m plots run --store out`."""

import sys

from plots.pipeline import PIPELINE
from plots.runtime.cli.main import main

if __name__ == "__main__":
    sys.exit(main(PIPELINE, sys.argv[1:]))
