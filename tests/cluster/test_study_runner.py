from __future__ import annotations

import pickle
import subprocess
import sys

from cluster.placement import Node, place
from cluster.study_runner import ByName
from tests.commands import ROOT


def test_what_is_sent_by_name_is_imported_by_whoever_gets_it_and_not_here() -> None:
    sent = pickle.dumps(ByName("tests.contract.plugins.unpacks:nothing"))
    assert isinstance(pickle.loads(sent), ByName)
    assert "tests.contract.plugins.unpacks" not in sys.modules
    code = f"import pickle, sys; print(pickle.loads({pickle.dumps(ByName('cluster.placement:place'))!r}).__name__)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "place\n"


def test_what_is_sent_by_name_may_be_called_here() -> None:
    assert ByName("cluster.placement:place")([Node(4)], cpus_per_trial=2) == place([Node(4)], 2)
