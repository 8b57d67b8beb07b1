"""Files for a check: what they become, and what is said of those that cannot be read."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from mlops_jupyter.core.errors import NotFoundError, UserError
from mlops_jupyter.runtime.drift import DriftVerdict, Profile, check, profile
from mlops_jupyter.services.drift.reading import read

FRAME = pd.DataFrame(
    {
        "when": pd.date_range("2024-01-01", periods=60, freq="h"),
        "n": range(60),
        "word": ["a", None, "2024"] * 20,
        "code": ["2024-01-01 and more"] * 30 + ["x"] * 30,
    }
)


@pytest.mark.parametrize("name", ["a.csv", "a.CSV", "a.csv.gz", "a.tsv", "a.parquet", "a.pq"])
def test_files_hold_the_same_whatever_their_kind(tmp_path: Path, name: str) -> None:
    file = tmp_path / name
    if file.suffix in (".parquet", ".pq"):
        FRAME.to_parquet(file)
    else:
        FRAME.to_csv(file, index=False, sep="\t" if ".tsv" in name else ",")
    data = read(str(file))
    assert isinstance(data, pd.DataFrame)
    assert list(data.columns) == list(FRAME.columns)
    assert data.word.isna().sum() == 20
    assert pd.api.types.is_datetime64_any_dtype(data.when)
    assert not pd.api.types.is_datetime64_any_dtype(data.code)
    assert check(FRAME, data, columns=["when", "n", "word"]).verdict is DriftVerdict.STABLE


def test_a_folder_of_parquet_files_is_one_table(tmp_path: Path) -> None:
    for part in range(3):
        FRAME.to_parquet(tmp_path / f"{part}.parquet")
    assert len(read(tmp_path)) == 180


def test_a_profile_is_read(tmp_path: Path) -> None:
    (tmp_path / "p.json").write_text(profile(FRAME).to_json())
    assert isinstance(read(tmp_path / "p.json"), Profile)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("data.xlsx", b"x", "is neither csv nor parquet: give a file that ends in .csv"),
        ("data.csv", b"", "as csv: No columns to parse from file; check the file"),
        ("data.csv", b"a,b\n", "has no rows: nothing to compare"),
        (
            "data.csv",
            b"a,b\n1,2,3\n4,5,6,7\n",
            "as csv: Error tokenizing data. C error: Expected 3 fields in line 3, saw 4",
        ),
        ("data.csv", b"a\n\xff\xfe\xfa\n", "as csv: 'utf-8' codec can't decode byte 0xff"),
        ("data.parquet", b"PAR1 no", "as parquet: "),
        ("data.csv.gz", b"a\n1\n", "as csv: Not a gzipped file"),
        ("data.json", b"{}", "this is not a drift profile: make one with profile(frame).to_json()"),
    ],
)
def test_what_cannot_be_read_is_one_line(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError) as fault:
        read(tmp_path / name)
    assert said in str(fault.value)
    assert name in str(fault.value)
    assert "\n" not in str(fault.value)


def test_no_such_file_and_no_parquet_in_a_folder(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"no file .*nowhere\.csv': check the name, or the folder you are in"):
        read(tmp_path / "nowhere.csv")
    with pytest.raises(UserError, match="is a folder without parquet files: name a csv or parquet file"):
        read(tmp_path)
