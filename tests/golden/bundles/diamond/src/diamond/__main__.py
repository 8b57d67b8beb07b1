"""Run the pipeline: `python -m diamond run --store out`."""

import sys

from diamond.pipeline import PIPELINE
from diamond.runtime.command import main

if __name__ == "__main__":
    sys.exit(main(PIPELINE, sys.argv[1:]))
