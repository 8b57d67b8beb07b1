"""Run the pipeline: `python -m shared run --store out`."""

import sys

from shared.pipeline import PIPELINE
from shared.runtime.cli.main import main

if __name__ == "__main__":
    sys.exit(main(PIPELINE, sys.argv[1:]))
