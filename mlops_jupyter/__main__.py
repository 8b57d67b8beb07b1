"""`python -m mlops_jupyter` is the command `mlops-jupyter`."""

import sys

from mlops_jupyter.surfaces.cli import main

if __name__ == "__main__":
    sys.exit(main())
