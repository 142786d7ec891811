"""A cluster of Ray on loopback: a head without processors and two nodes of one; a line on stdin kills the second.

Ray's own class for tests of clusters, in a process of its own: it must be called from a main thread.
"""

from __future__ import annotations

import sys

from ray.cluster_utils import Cluster

if __name__ == "__main__":
    small = {"object_store_memory": 80 << 20, "include_dashboard": False}
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, **small})
    first, second = (cluster.add_node(num_cpus=1, **small) for _ in range(2))
    cluster.wait_for_nodes()
    print(cluster.address, flush=True)
    for _ in sys.stdin:
        cluster.remove_node(second, allow_graceful=False)
        print("killed", flush=True)
    cluster.shutdown()
