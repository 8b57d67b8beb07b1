"""A small cluster on this machine, in a process of its own: `python cluster.py ray|dask NODES`.

It prints its address. Each line that it reads names a node, which ends as by a loss of power: its id in Ray,
the process of its worker in Dask.
"""

from __future__ import annotations

import os
import signal
import sys


def ray(nodes: int) -> None:
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    facts = {"num_cpus": 0, "object_store_memory": 80 * 2**20, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args=facts)
    others = [cluster.add_node(num_cpus=2, object_store_memory=80 * 2**20) for _ in range(nodes - 1)]
    print(cluster.address, flush=True)
    for line in sys.stdin:
        lost = next(node for node in others if node.node_id == line.strip())
        others.remove(lost)
        cluster.remove_node(lost, allow_graceful=False)
        print("gone", flush=True)
    cluster.shutdown()


def dask(nodes: int) -> None:
    from distributed import LocalCluster

    with LocalCluster(n_workers=nodes, threads_per_worker=2, dashboard_address=None) as cluster:
        print(cluster.scheduler_address, flush=True)
        for line in sys.stdin:
            os.kill(int(line), signal.SIGKILL)
            print("gone", flush=True)


if __name__ == "__main__":
    {"ray": ray, "dask": dask}[sys.argv[1]](int(sys.argv[2]))
