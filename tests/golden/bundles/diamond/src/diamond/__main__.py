"""Run the pipeline: `python -m diamond run --store out`."""

import sys

from diamond.pipeline import PIPELINE
from diamond.runtime.cli.main import main

if __name__ == "__main__":
    sys.exit(main(PIPELINE, sys.argv[1:]))
