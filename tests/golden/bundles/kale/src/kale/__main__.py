"""Run the pipeline: `python -m kale run --store out`."""

import sys

from kale.pipeline import PIPELINE
from kale.runtime.cli.main import main

if __name__ == "__main__":
    sys.exit(main(PIPELINE, sys.argv[1:]))
