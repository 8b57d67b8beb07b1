"""Names of methods and functions that change an object in place, or give back what shares objects with it."""

from __future__ import annotations

from mlops_jupyter.analysis.syntax.vocabulary import words

MUTATORS = words(
    "append extend insert remove pop popitem clear sort reverse add discard update setdefault appendleft extendleft "
    "popleft rotate difference_update intersection_update symmetric_difference_update subtract move_to_end "
    "fill resize put itemset partition setflags setfield byteswap __setitem__ __setattr__ __delitem__ "
    "fit partial_fit fit_transform fit_predict fit_resample set_params load_state_dict "
    "seed shuffle random normal standard_normal uniform integers choice choices permutation permuted binomial poisson "
    "exponential randint randrange randn rand gauss getrandbits "
    "add_node add_nodes_from add_edge add_edges_from remove_node remove_edge put_nowait get_nowait add_section"
)
"""Methods that change their object: those of Python's own types, of generators of random numbers, of estimators."""

HARMLESS = words(
    "head tail info describe plot hist boxplot scatter show savefig write writelines writerow writerows writeheader "
    "flush close join start debug warning error critical exception log print display save dump to_csv to_parquet "
    "to_json to_excel to_pickle to_html to_sql to_feather to_markdown to_string mkdir touch write_text write_bytes "
    "unlink rename rmdir commit execute executemany sleep items keys values count index copy sum mean value_counts"
)
"""Methods whose object stays as it is although their result is not used: they show, write or look."""

SHARING_METHODS = words(
    "get setdefault pop popitem popleft items values keys iterrows itertuples groupby ravel reshape view transpose "
    "swapaxes squeeze diagonal flatten_view get_group xs gca gcf get_axes"
)
"""Methods whose result shares objects with theirs."""

SHARING_FUNCTIONS = words(
    "iter enumerate zip reversed sorted list tuple dict set map filter next getattr vars chain islice cycle asarray "
    "asanyarray ravel atleast_1d atleast_2d squeeze transpose reshape cast max min tqdm deque"
)
"""Functions whose result shares objects with their arguments."""

IN_PLACE_FUNCTIONS = words(
    "shuffle heappush heappop heapify heapreplace heappushpop insort insort_left insort_right fill_diagonal put place "
    "putmask copyto put_along_axis setattr delattr setitem delitem iadd iconcat next"
)
"""Functions that change their first argument."""

CHANGING_KEYWORDS = {"inplace": True, "overwrite_x": True, "overwrite_a": True, "overwrite_b": True, "copy": False}
"""Keyword -> the value with which a call changes its object, or its first argument, in place."""

OUTPUT_KEYWORDS = words("out")
"""Keywords that name the object into which a call writes."""

RESTORING = words(
    "catch_warnings option_context errstate config_context rc_context printoptions local_context localcontext"
)
"""Context managers at whose end the settings are again what they were."""
