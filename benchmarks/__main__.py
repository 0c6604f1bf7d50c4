"""Run the benchmarks and rewrite BENCHMARKS.md: `./run bench [NAME ...]`, data folder from ORBWATCH_DATA.

Each benchmark is a module with `run(data: Path) -> str`, its section in Markdown. With names given, only those sections
are made anew; the others stay as they are in the file.
"""

from __future__ import annotations

import importlib
import os
import platform
import re
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).parent.parent
REPORT = ROOT / "BENCHMARKS.md"
NAMES = [
    "sgp4_speed", "screen_speed", "matrix", "probability_speed", "collision_probability", "miss_calibration",
    "empirical_covariance", "assess_real", "learning_speed", "augmentations", "catalog_forecast", "catalog_board",
    "maneuver_distrust", "maneuvers",
]  # fmt: skip

HEAD = """# Benchmarks

Made by `./run bench`; nothing here is typed in. Speeds are ratios against a named peer, measured in turn in the same
run on the same machine, because absolute times do not carry over. Data: real public catalogues, through ORBWATCH_DATA.
"""


def sections() -> dict[str, str]:
    """The sections of the present file by benchmark name."""
    if not REPORT.exists():
        return {}
    parts = re.split(r"<!-- (\w+) -->\n", REPORT.read_text())
    return dict(zip(parts[1::2], (part.strip() for part in parts[2::2]), strict=True))


def main(chosen: list[str]) -> None:
    if unknown := set(chosen) - set(NAMES):
        sys.exit(f"unknown benchmark {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    if "ORBWATCH_DATA" not in os.environ:
        sys.exit("set ORBWATCH_DATA to the folder that holds data/ and reference/")
    made = sections()
    for name in chosen or NAMES:
        print(f"== {name}", file=sys.stderr, flush=True)
        body = importlib.import_module(f"benchmarks.{name}").run(Path(os.environ["ORBWATCH_DATA"]))
        stamp = (
            f"_{datetime.now(UTC):%Y-%m-%d}, orbwatch {version('orbwatch')}, numpy {version('numpy')}, "
            f"numba {version('numba')}, Python {platform.python_version()}, {os.cpu_count()} cores._"
        )
        made[name] = f"{body.strip()}\n\n{stamp}"
    text = HEAD + "".join(f"\n<!-- {name} -->\n{made[name]}\n" for name in NAMES if name in made)
    REPORT.write_text(text)


if __name__ == "__main__":
    main(sys.argv[1:])
