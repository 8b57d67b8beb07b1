"""Run the pipeline: `python -m series run --store out`."""

import sys

from series.pipeline import PIPELINE
from series.runtime.cli.main import main

if __name__ == "__main__":
    sys.exit(main(PIPELINE, sys.argv[1:]))
