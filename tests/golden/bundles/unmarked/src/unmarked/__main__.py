"""Run the pipeline: `python -m unmarked run --store out`."""

import sys

from unmarked.pipeline import PIPELINE
from unmarked.runtime.cli.main import main

if __name__ == "__main__":
    sys.exit(main(PIPELINE, sys.argv[1:]))
