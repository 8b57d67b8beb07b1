"""Run the pipeline: `python -m sections run --store out`."""

import sys

from sections.pipeline import PIPELINE
from sections.runtime.cli.main import main

if __name__ == "__main__":
    sys.exit(main(PIPELINE, sys.argv[1:]))
