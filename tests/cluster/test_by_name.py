from __future__ import annotations

import pickle
import sys

from cluster.by_name import ByName
from cluster.placement import Node, place


def test_what_is_sent_by_name_is_imported_where_it_arrives_and_not_here() -> None:
    assert isinstance(pickle.loads(pickle.dumps(ByName("tests.contract.plugins.unpacks:nothing"))), ByName)
    assert "tests.contract.plugins.unpacks" not in sys.modules
    assert pickle.loads(pickle.dumps(ByName("cluster.placement:place", home=-1))) is place


def test_what_is_sent_by_name_may_be_called_here() -> None:
    assert ByName("cluster.placement:place")([Node(4)], cpus_per_trial=2) == place([Node(4)], 2)
