"""Causes of nondeterminism in a cell, and tables of the names that betray them. Tables only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from mlops_jupyter.analysis.syntax.vocabulary import words


class NondeterminismKind(Enum):
    """Why the same text may give another value. The member's value describes it to people."""

    UNSEEDED = "draws from a global random state that this cell has not seeded"
    ENTROPY = "draws from the operating system's randomness"
    CLOCK = "reads the clock"
    NETWORK = "reads from the network"
    PROCESS = "runs another program"
    DATABASE = "asks a database"
    ENVIRONMENT = "reads the machine, the user or the environment"
    ORDER = "depends on an order that is not fixed (files of a folder, a set of texts or objects)"
    ADDRESS = "depends on addresses or on salted hashes"
    CONCURRENCY = "depends on which task ends first"
    INPUT = "asks the user"


@dataclass(frozen=True)
class NondeterminismCause:
    """One place where a value may differ from run to run.

    Attributes
    ----------
    kind : why the value may differ.
    line : 1-based line of the cell.
    text : first line of the expression, as written.
    """

    kind: NondeterminismKind
    line: int
    text: str


def _table(kind: NondeterminismKind, *rows: tuple[str, str]) -> dict[str, NondeterminismKind]:
    """Return `owner.name -> kind` for rows of ("owners", "names")."""
    return {f"{owner}.{name}": kind for owners, names in rows for owner in owners.split() for name in names.split()}


DRAWS = (
    "beta betavariate binomial bytes chisquare choice choices dirichlet expovariate exponential f gamma gammavariate "
    "gauss geometric getrandbits gumbel hypergeometric laplace logistic lognormal lognormvariate logseries multinomial "
    "multivariate_normal negative_binomial noncentral_chisquare normal normalvariate pareto paretovariate permutation "
    "poisson power rand randbytes randint randn random random_integers random_sample randrange ranf rayleigh sample "
    "shuffle standard_cauchy standard_exponential standard_gamma standard_normal standard_t triangular uniform "
    "vonmises vonmisesvariate wald weibull weibullvariate zipf truncated_normal categorical stateless_uniform"
)

PAIRS: dict[str, NondeterminismKind] = {
    **_table(NondeterminismKind.UNSEEDED, ("random", DRAWS)),
    **_table(
        NondeterminismKind.UNSEEDED,
        ("torch", "rand randn randint randperm bernoulli multinomial normal rand_like randn_like randint_like"),
    ),
    **_table(
        NondeterminismKind.CLOCK,
        ("time", "time time_ns perf_counter perf_counter_ns monotonic monotonic_ns process_time process_time_ns ctime"),
        ("datetime", "now utcnow today"),
        ("date Timestamp Period", "now today utcnow"),
        ("dt", "now utcnow today"),
        ("pendulum arrow", "now today utcnow tomorrow yesterday"),
        ("timeit", "default_timer"),
    ),
    **_table(
        NondeterminismKind.ENTROPY,
        ("uuid", "uuid1 uuid4 uuid7 getnode"),
        ("os", "urandom getrandom"),
        ("secrets", "choice randbelow randbits token_bytes token_hex token_urlsafe SystemRandom"),
        ("random", "SystemRandom"),
    ),
    **_table(
        NondeterminismKind.NETWORK,
        ("requests httpx", "get post put patch delete head options request Session Client AsyncClient"),
        ("request", "urlopen urlretrieve"),
        ("socket", "socket create_connection"),
        ("boto3", "client resource Session"),
        ("aiohttp", "ClientSession request"),
        ("yfinance yf", "download Ticker"),
        ("wget gdown", "download"),
    ),
    **_table(
        NondeterminismKind.PROCESS,
        ("subprocess", "run call check_call check_output Popen getoutput getstatusoutput"),
        ("os", "system popen spawnl spawnv"),
    ),
    **_table(
        NondeterminismKind.DATABASE,
        ("sqlite3 psycopg psycopg2 pymysql pyodbc oracledb duckdb", "connect"),
        ("pd pandas", "read_sql read_sql_query read_sql_table"),
        ("duckdb", "sql query execute"),
    ),
    **_table(
        NondeterminismKind.ENVIRONMENT,
        ("os", "getenv getcwd getlogin getpid getppid cpu_count uname listxattr"),
        ("socket", "gethostname getfqdn"),
        ("platform", "node platform system release version machine processor uname python_version"),
        ("Path", "home cwd"),
        ("getpass", "getuser"),
        ("path", "expanduser expandvars"),
        ("locale", "getlocale getdefaultlocale"),
        ("shutil", "which disk_usage"),
        ("tempfile", "mkdtemp mkstemp gettempdir NamedTemporaryFile TemporaryDirectory mktemp"),
        ("multiprocessing", "cpu_count"),
        ("cuda", "is_available device_count"),
    ),
    **_table(NondeterminismKind.ORDER, ("os", "listdir scandir walk"), ("glob", "glob iglob")),
    **_table(NondeterminismKind.CONCURRENCY, ("futures asyncio", "as_completed wait")),
    **_table(NondeterminismKind.INPUT, ("getpass", "getpass")),
}
"""Last two names of a call's path -> kind of nondeterminism."""

WORDS: dict[str, NondeterminismKind] = {
    "input": NondeterminismKind.INPUT,
    "id": NondeterminismKind.ADDRESS,
    "hash": NondeterminismKind.ADDRESS,
    "time": NondeterminismKind.CLOCK,
    "perf_counter": NondeterminismKind.CLOCK,
    "uuid4": NondeterminismKind.ENTROPY,
    "uuid1": NondeterminismKind.ENTROPY,
    "urandom": NondeterminismKind.ENTROPY,
    "token_hex": NondeterminismKind.ENTROPY,
    "urlopen": NondeterminismKind.NETWORK,
    "urlretrieve": NondeterminismKind.NETWORK,
    "create_engine": NondeterminismKind.DATABASE,
    "read_sql": NondeterminismKind.DATABASE,
    "check_output": NondeterminismKind.PROCESS,
    "Popen": NondeterminismKind.PROCESS,
    "load_dataset": NondeterminismKind.NETWORK,
    "snapshot_download": NondeterminismKind.NETWORK,
    "hf_hub_download": NondeterminismKind.NETWORK,
    "getpass": NondeterminismKind.INPUT,
    "gethostname": NondeterminismKind.ENVIRONMENT,
    "getenv": NondeterminismKind.ENVIRONMENT,
    "as_completed": NondeterminismKind.CONCURRENCY,
    "shuffle": NondeterminismKind.UNSEEDED,
    "randint": NondeterminismKind.UNSEEDED,
    "randn": NondeterminismKind.UNSEEDED,
}
"""Calls by a bare name, which an import in an earlier cell may have bound."""

METHODS: dict[str, NondeterminismKind] = {
    "iterdir": NondeterminismKind.ORDER,
    "rglob": NondeterminismKind.ORDER,
    "glob": NondeterminismKind.ORDER,
    "imap_unordered": NondeterminismKind.CONCURRENCY,
    "fetch_openml": NondeterminismKind.NETWORK,
    "fetch_california_housing": NondeterminismKind.NETWORK,
    "fetch_20newsgroups": NondeterminismKind.NETWORK,
    "fetch_covtype": NondeterminismKind.NETWORK,
    "fetch_lfw_people": NondeterminismKind.NETWORK,
    "urlopen": NondeterminismKind.NETWORK,
}
"""Calls by their last name, on any object."""

ATTRIBUTES: dict[str, NondeterminismKind] = {
    "os.environ": NondeterminismKind.ENVIRONMENT,
    "os.environb": NondeterminismKind.ENVIRONMENT,
    "sys.argv": NondeterminismKind.ENVIRONMENT,
    "sys.platform": NondeterminismKind.ENVIRONMENT,
    "sys.version": NondeterminismKind.ENVIRONMENT,
    "sys.version_info": NondeterminismKind.ENVIRONMENT,
    "sys.executable": NondeterminismKind.ENVIRONMENT,
}
"""Attributes that are not called, by the last two names of their path."""

GENERATORS = frozenset({"Random", "RandomState"})
"""Classes whose first argument is a seed; without one they take entropy. That of `default_rng` is captured."""

SEEDERS = {
    "seed": "",
    "manual_seed": "torch",
    "manual_seed_all": "torch",
    "set_seed": "*",
    "set_random_seed": "*",
    "seed_everything": "*",
    "fix_all_seeds": "*",
}
"""Calls that seed a global random state -> the library that owns it; "" if the path tells, "*" for all libraries."""

TAKES_RANDOM_STATE = words(
    "train_test_split RandomForestClassifier RandomForestRegressor ExtraTreesClassifier ExtraTreesRegressor "
    "ExtraTreeClassifier ExtraTreeRegressor DecisionTreeClassifier DecisionTreeRegressor GradientBoostingClassifier "
    "GradientBoostingRegressor BaggingClassifier BaggingRegressor AdaBoostClassifier AdaBoostRegressor IsolationForest "
    "RandomTreesEmbedding KMeans MiniBatchKMeans BisectingKMeans GaussianMixture BayesianGaussianMixture "
    "MLPClassifier MLPRegressor SGDClassifier SGDRegressor Perceptron RandomizedSearchCV HalvingRandomSearchCV "
    "ShuffleSplit StratifiedShuffleSplit GroupShuffleSplit TruncatedSVD NMF FastICA SparsePCA DictionaryLearning TSNE "
    "UMAP SpectralClustering SpectralEmbedding LatentDirichletAllocation permutation_importance resample "
    "make_classification make_regression make_blobs make_moons make_circles make_friedman1 QuantileTransformer "
    "GaussianRandomProjection SparseRandomProjection RANSACRegressor BernoulliRBM SMOTE ADASYN RandomOverSampler "
    "RandomUnderSampler sample"
)
"""Calls of scikit-learn, imbalanced-learn, umap and pandas that draw from numpy's global state without a seed."""

SHUFFLES = frozenset({"KFold", "StratifiedKFold", "StratifiedGroupKFold"})
"""Splitters that draw only with `shuffle=True`."""

NOW_WITHOUT = {"strftime": 2, "localtime": 1, "gmtime": 1, "asctime": 1}
"""Functions of `time` -> number of arguments below which they use the current time."""

READERS = words(
    "read_csv read_json read_parquet read_excel read_html read_table read_feather read_xml read_pickle read_fwf "
    "scan_csv scan_parquet read_image imread open read_file load loadtxt genfromtxt"
)
"""Functions whose first argument may be an address on the network."""

SORTERS = frozenset({"sorted", "len", "set", "frozenset", "min", "max", "sum", "any", "all"})
"""Functions whose result does not depend on the order of their argument."""
ORDERED = frozenset({"list", "tuple", "enumerate", "iter", "zip", "map", "join", "array", "Series", "DataFrame"})
"""Functions whose result has the order of their argument."""
SET_METHODS = frozenset({"union", "intersection", "difference", "symmetric_difference", "copy"})
"""Methods of a set that return a set."""
