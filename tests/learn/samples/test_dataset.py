"""Data sets are the same bytes whoever builds them, survive a killed builder, and are checked for what must not be."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from orbwatch.catalog.written import file_hash
from orbwatch.errors import InputError
from orbwatch.learn.samples.dataset import build, check, info
from orbwatch.learn.samples.sequences import MANIFEST, SequenceStore, data_hash, write_manifest
from orbwatch.settings_groups import DatasetSettings

KILLED = """
import os, signal, sys
from pathlib import Path
from orbwatch.learn.samples import dataset, shards
from orbwatch.settings_groups import DatasetSettings

def third_is_the_last(stage, part):
    if part >= 0.3:
        shards.ShardWriter.append = write_some_and_die

def write_some_and_die(self, columns):
    append(self, columns)
    os.kill(os.getpid(), signal.SIGKILL)

append = shards.ShardWriter.append
settings = DatasetSettings(objects=10, hours=1.2, workers=1, burn_share=1.0, burn_interval_min=60.0)
dataset.build(settings, Path(sys.argv[1]), third_is_the_last)
"""


@pytest.fixture
def copy(tiny_dataset: Path, tmp_path: Path) -> Path:
    return shutil.copytree(tiny_dataset, tmp_path / "copy")


def sums(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): file_hash(path) for path in sorted(folder.rglob("*")) if path.is_file()
    }


def test_a_sound_data_set_has_no_findings(tiny_dataset: Path) -> None:
    said: list[tuple[str, float]] = []
    assert check(tiny_dataset, lambda stage, part: said.append((stage, part))) == []
    assert said[-1] == ("checking", 1.0)


def test_info(tiny_dataset: Path) -> None:
    facts = info(tiny_dataset)
    assert facts["windows"] == 230
    assert facts["regimes"] == {"LEO": 4, "MEO": 2, "GEO": 2, "HEO": 2}
    json.dumps(facts)


def test_processes_make_the_same_bytes(tiny_dataset: Path, tiny_settings: DatasetSettings, tmp_path: Path) -> None:
    said: list[float] = []
    built = build(replace(tiny_settings, workers=2), tmp_path / "two", lambda _, part: said.append(part))
    assert sums(tmp_path / "two") == sums(tiny_dataset)
    assert said == sorted(said)
    assert said[-1] == 1.0
    assert built.windows == 230
    assert built.bytes == sum(path.stat().st_size for path in tiny_dataset.rglob("*") if path.is_file())
    assert built.peak_rss_mb > 50.0  # with that of the process that runs the tests, whatever it has loaded


def test_missing_and_damaged_shards_are_made_again(
    copy: Path, tiny_dataset: Path, tiny_settings: DatasetSettings
) -> None:
    shutil.rmtree(copy / "shards/003")
    (copy / "shards/005/fit_rv.npy").write_bytes(b"")
    facts = copy / "shards/006/shard.json"
    facts.write_text(facts.read_text().replace('"settings_hash": "', '"settings_hash": "0'))
    (copy / "shards/.tmp-003-abc").mkdir()
    build(tiny_settings, copy)
    assert sums(copy) == sums(tiny_dataset)


def test_a_killed_builder_leaves_whole_shards_only(
    tiny_dataset: Path, tiny_settings: DatasetSettings, tmp_path: Path
) -> None:
    folder = tmp_path / "killed"
    child = subprocess.run([sys.executable, "-c", KILLED, str(folder)], check=False)
    assert child.returncode == -signal.SIGKILL
    assert len(list((folder / "shards").glob(".tmp-*"))) == 1
    with pytest.raises(InputError, match="not complete"):
        SequenceStore.open(folder)
    done = sorted(path.name for path in (folder / "shards").iterdir() if not path.name.startswith("."))
    assert done == ["000", "001", "002"]
    for name in done:
        assert sums(folder / "shards" / name) == sums(tiny_dataset / "shards" / name)
    build(tiny_settings, folder)
    assert sums(folder) == sums(tiny_dataset)


def test_what_is_not_continued(copy: Path, tiny_settings: DatasetSettings, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="other settings") as caught:
        build(replace(tiny_settings, seed=2), copy)
    assert caught.value.field == "dataset.seed"
    with pytest.raises(InputError, match="too short"):
        build(replace(tiny_settings, step=120.0), tmp_path / "short")
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="something else"):
        build(tiny_settings, tmp_path)
    with pytest.raises(InputError, match="cannot make the output folder"):
        build(tiny_settings, tmp_path / "mine.txt")
    manifest = json.loads((copy / MANIFEST).read_text())
    manifest["code"]["propagate/forces.py"] = "0"
    write_manifest(copy, manifest | {"code_hash": "0"})
    with pytest.raises(InputError, match=r"another version of orbwatch: propagate/forces\.py"):
        build(tiny_settings, copy)
    write_manifest(copy, manifest | {"catalog_hash": "0"})
    with pytest.raises(InputError, match="another catalogue"):
        build(tiny_settings, copy)


def change(folder: Path, name: str, work: Callable[[np.ndarray], None]) -> None:
    """Change an array of shard 0 and make its hashes right again, so that only its meaning is wrong."""
    path = folder / f"shards/000/{name}.npy"
    array = np.load(path)
    work(array)
    np.save(path, array)
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["shards"][0]["arrays"][name]["sha256"] = file_hash(path)
    write_manifest(folder, manifest | {"data_hash": data_hash(manifest["shards"])})


def _set(index: object, value: float) -> Callable[[np.ndarray], None]:
    def work(array: np.ndarray) -> None:
        array[index] = value

    return work


def _add(index: object, value: float) -> Callable[[np.ndarray], None]:
    def work(array: np.ndarray) -> None:
        array[index] += value

    return work


@pytest.mark.parametrize(
    ("name", "work", "finding"),
    [
        ("truth_rv_km", _set((0, 3, 1), np.nan), "1 true states that are not finite, the first at object 0, row 3"),
        ("truth_rv_km", _set((0, 0), 0.0), "below 80 km"),
        ("truth_rv_km", _add((0, slice(60, None), 3), 0.001), "jumps"),
        ("noise_km", _set((0, 7, 2), np.inf), "seen in part"),
        ("noise_km", lambda a: np.multiply(a, 2.0, out=a), "noisier or quieter"),
        ("burn", _set((0, 9), 3), "thrust mark"),
        ("objects", lambda a: a["ballistic_m2_kg"].fill(0.0), "without a positive sigma"),
        ("fit_rv", _set((0, 5, 5), np.nan), "good fits that are not finite"),
        ("fit_cov", _set((0, 5, 0), -1.0), "variance that is not positive"),
        ("fit_count", _set((0, 5), 3), "status and number"),
    ],
)
def test_impossible_numbers_are_found(copy: Path, name: str, work: Callable[[np.ndarray], None], finding: str) -> None:
    if name == "truth_rv_km":
        change(copy, "burn", lambda a: a.fill(0))
    change(copy, name, work)
    found = check(copy)
    assert any(finding in line and "shards/000" in line for line in found), found


def test_wrong_fits_are_found(copy: Path) -> None:
    change(copy, "fit_cov", _set((0, slice(None), 1), 1e6))
    assert any("not positive definite" in line for line in check(copy))


def test_failed_fits_are_found(copy: Path) -> None:
    change(copy, "fit_status", lambda a: a.fill(2))
    assert any("have no fit" in line for line in check(copy))


def test_damage_and_leaks_are_found(copy: Path) -> None:
    path = copy / "shards/001/truth_rv_km.npy"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(bytes(data))
    manifest = json.loads((copy / MANIFEST).read_text())
    moved = manifest["splits"]["test"][0]
    manifest["splits"]["train"].append(moved)
    manifest["splits"]["calibration"].pop()
    manifest["units"]["noise_km"]["unit"] = "m"
    write_manifest(copy, manifest)
    shutil.copy(copy / "shards/002/truth_rv_km.npy", copy / "shards/003/truth_rv_km.npy")
    shutil.copy(copy / "shards/002/objects.npy", copy / "shards/003/objects.npy")
    found = "\n".join(check(copy))
    for finding in (
        "truth_rv_km.npy is not what was written",
        "objects in more than one split",
        "objects in no split",
        "units is not that",
        "objects with the same number",
        "begin at a state",
    ):
        assert finding in found
