"""The names of hidden variables, each written once: state that a cell reads or writes without naming it.

They are plain strings and no members of an Enum, since bundles hold them as text: in `pipeline.py`, in the files of a
run, in file names. `core.hidden_names` adds those that only a notebook's analysis knows.
"""

from __future__ import annotations

HIDDEN = "~"
"""First character of every hidden variable's name; no Python name begins so."""

ENVIRON = "~environ:"
"""Prefix of environment variables: `~environ:HOME`."""

FILE = "~file:"
"""Prefix of files: `~file:data/customers.csv`."""

WORKING_DIRECTORY = "~cwd"
MODULE_PATH = "~sys.path"
ARGUMENTS = "~sys.argv"

EARLY = (MODULE_PATH, ARGUMENTS, ENVIRON)
"""Hidden variables that a module may read when it is imported; it keeps what it read as long as its process lives."""

PYTHON_RANDOM = "~random"
NUMPY_RANDOM = "~numpy.random"
NUMPY_ENTROPY = "~numpy.entropy"
TORCH_RANDOM = "~torch.random"

RANDOM = frozenset({PYTHON_RANDOM, NUMPY_RANDOM, NUMPY_ENTROPY, TORCH_RANDOM})
"""The states of random number generators, which differ in each kernel."""

NUMPY_ERRORS = "~numpy.errstate"
NUMPY_PRINT = "~numpy.printoptions"
PANDAS_OPTIONS = "~pandas.options"
SKLEARN_CONFIG = "~sklearn.config"
MATPLOTLIB_RC = "~matplotlib.rc"
WARNING_FILTERS = "~warnings.filters"

SOCKET_TIMEOUT = "~socket.timeout"
DECIMAL_CONTEXT = "~decimal.context"
CSV_FIELD_SIZE = "~csv.field_size_limit"
CSV_DIALECTS = "~csv.dialects"
FILE_TYPES = "~mimetypes"
LOCALE = "~locale"
LOGGER_LEVELS = "~logging.levels"
RECURSION_LIMIT = "~sys.recursionlimit"

STANDARD_LIBRARY = (
    SOCKET_TIMEOUT,
    DECIMAL_CONTEXT,
    CSV_FIELD_SIZE,
    CSV_DIALECTS,
    FILE_TYPES,
    LOCALE,
    LOGGER_LEVELS,
    RECURSION_LIMIT,
)
"""Settings that modules of the standard library keep for the whole process."""
