"""What may make a cell's values differ in another process, and the names by which we know it. Tables only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from mlops_jupyter.analysis.vocabulary import words


class CauseKind(Enum):
    """Why the same text may give another value. The value is how it is said to people."""

    UNSEEDED = "draws from a global random state that this cell has not seeded"
    ENTROPY = "draws from the operating system's randomness"
    CLOCK = "reads the clock"
    NETWORK = "reads from the network"
    ENVIRONMENT = "reads the machine, the user or the environment"
    ORDER = "depends on an order that is not fixed (files of a folder, a set of texts or objects)"
    ADDRESS = "depends on addresses or on salted hashes"
    CONCURRENCY = "depends on which task ends first"
    INPUT = "asks the user"


@dataclass(frozen=True)
class Cause:
    """One place where a value may come out differently.

    Attributes
    ----------
    line : 1-based line of the cell.
    text : the expression, as written (its first line).
    """

    kind: CauseKind
    line: int
    text: str


def _table(kind: CauseKind, *rows: tuple[str, str]) -> dict[str, CauseKind]:
    """Make `owner.name -> kind` of rows ("owners", "names")."""
    return {f"{owner}.{name}": kind for owners, names in rows for owner in owners.split() for name in names.split()}


DRAWS = (
    "beta betavariate binomial bytes chisquare choice choices dirichlet expovariate exponential f gamma gammavariate "
    "gauss geometric getrandbits gumbel hypergeometric laplace logistic lognormal lognormvariate logseries multinomial "
    "multivariate_normal negative_binomial noncentral_chisquare normal normalvariate pareto paretovariate permutation "
    "poisson power rand randbytes randint randn random random_integers random_sample randrange ranf rayleigh sample "
    "shuffle standard_cauchy standard_exponential standard_gamma standard_normal standard_t triangular uniform "
    "vonmises vonmisesvariate wald weibull weibullvariate zipf truncated_normal categorical stateless_uniform"
)

PAIRS: dict[str, CauseKind] = {
    **_table(CauseKind.UNSEEDED, ("random", DRAWS)),
    **_table(
        CauseKind.UNSEEDED,
        ("torch", "rand randn randint randperm bernoulli multinomial normal rand_like randn_like randint_like"),
    ),
    **_table(
        CauseKind.CLOCK,
        ("time", "time time_ns perf_counter perf_counter_ns monotonic monotonic_ns process_time process_time_ns ctime"),
        ("datetime", "now utcnow today"),
        ("date Timestamp Period", "now today utcnow"),
        ("dt", "now utcnow today"),
        ("pendulum arrow", "now today utcnow tomorrow yesterday"),
        ("timeit", "default_timer"),
    ),
    **_table(
        CauseKind.ENTROPY,
        ("uuid", "uuid1 uuid4 uuid7 getnode"),
        ("os", "urandom getrandom"),
        ("secrets", "choice randbelow randbits token_bytes token_hex token_urlsafe SystemRandom"),
        ("random", "SystemRandom"),
    ),
    **_table(
        CauseKind.NETWORK,
        ("requests httpx", "get post put patch delete head options request Session Client AsyncClient"),
        ("request", "urlopen urlretrieve"),
        ("socket", "socket create_connection"),
        ("boto3", "client resource Session"),
        ("aiohttp", "ClientSession request"),
        ("yfinance yf", "download Ticker"),
        ("psycopg psycopg2 pymysql pyodbc", "connect"),
        ("wget gdown", "download"),
    ),
    **_table(
        CauseKind.ENVIRONMENT,
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
    **_table(CauseKind.ORDER, ("os", "listdir scandir walk"), ("glob", "glob iglob")),
    **_table(CauseKind.CONCURRENCY, ("futures asyncio", "as_completed wait")),
    **_table(CauseKind.INPUT, ("getpass", "getpass")),
}
"""Last two names of a call's path -> what it means."""

WORDS: dict[str, CauseKind] = {
    "input": CauseKind.INPUT,
    "id": CauseKind.ADDRESS,
    "hash": CauseKind.ADDRESS,
    "time": CauseKind.CLOCK,
    "perf_counter": CauseKind.CLOCK,
    "uuid4": CauseKind.ENTROPY,
    "uuid1": CauseKind.ENTROPY,
    "urandom": CauseKind.ENTROPY,
    "token_hex": CauseKind.ENTROPY,
    "urlopen": CauseKind.NETWORK,
    "urlretrieve": CauseKind.NETWORK,
    "create_engine": CauseKind.NETWORK,
    "load_dataset": CauseKind.NETWORK,
    "snapshot_download": CauseKind.NETWORK,
    "hf_hub_download": CauseKind.NETWORK,
    "getpass": CauseKind.INPUT,
    "gethostname": CauseKind.ENVIRONMENT,
    "getenv": CauseKind.ENVIRONMENT,
    "as_completed": CauseKind.CONCURRENCY,
    "shuffle": CauseKind.UNSEEDED,
    "randint": CauseKind.UNSEEDED,
    "randn": CauseKind.UNSEEDED,
}
"""Calls by a bare name, which an import in an earlier cell may have bound."""

METHODS: dict[str, CauseKind] = {
    "iterdir": CauseKind.ORDER,
    "rglob": CauseKind.ORDER,
    "glob": CauseKind.ORDER,
    "imap_unordered": CauseKind.CONCURRENCY,
    "fetch_openml": CauseKind.NETWORK,
    "fetch_california_housing": CauseKind.NETWORK,
    "fetch_20newsgroups": CauseKind.NETWORK,
    "fetch_covtype": CauseKind.NETWORK,
    "fetch_lfw_people": CauseKind.NETWORK,
    "urlopen": CauseKind.NETWORK,
}
"""Calls by their last name, whatever they are called on."""

ATTRIBUTES: dict[str, CauseKind] = {
    "os.environ": CauseKind.ENVIRONMENT,
    "os.environb": CauseKind.ENVIRONMENT,
    "sys.argv": CauseKind.ENVIRONMENT,
    "sys.platform": CauseKind.ENVIRONMENT,
    "sys.version": CauseKind.ENVIRONMENT,
    "sys.version_info": CauseKind.ENVIRONMENT,
    "sys.executable": CauseKind.ENVIRONMENT,
}

GENERATORS = frozenset({"Random", "RandomState"})
"""Take a seed first; without one they ask the operating system. What `default_rng` asks it for is captured."""

SEEDERS = {
    "seed": "",
    "manual_seed": "torch",
    "manual_seed_all": "torch",
    "set_seed": "*",
    "set_random_seed": "*",
    "seed_everything": "*",
    "fix_all_seeds": "*",
}
"""Calls that seed a global state -> whose; "" is said by the path, "*" is all."""

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
"""scikit-learn, imbalanced-learn, umap, `DataFrame.sample`: draw from numpy's global state unless told otherwise."""

SHUFFLES = frozenset({"KFold", "StratifiedKFold", "StratifiedGroupKFold"})
"""Draw only with `shuffle=True`."""

NOW_WITHOUT = {"strftime": 2, "localtime": 1, "gmtime": 1, "asctime": 1}
"""Functions of `time` that take the present where fewer arguments than this are given."""

READERS = words(
    "read_csv read_json read_parquet read_excel read_html read_table read_feather read_xml read_pickle read_fwf "
    "scan_csv scan_parquet read_image imread open read_file load loadtxt genfromtxt"
)
"""Take an address first."""

SORTERS = frozenset({"sorted", "len", "set", "frozenset", "min", "max", "sum", "any", "all"})
"""What they answer does not depend on the order of what they are given."""
ORDERED = frozenset({"list", "tuple", "enumerate", "iter", "zip", "map", "join", "array", "Series", "DataFrame"})
"""What they answer has the order of what they are given."""
SET_METHODS = frozenset({"union", "intersection", "difference", "symmetric_difference", "copy"})
"""Of a set, what answers with a set."""
