"""Run the pipeline: `python -m linear run --store out`."""

import sys

from linear.pipeline import PIPELINE
from linear.runtime.cli.main import main

if __name__ == "__main__":
    sys.exit(main(PIPELINE, sys.argv[1:]))
