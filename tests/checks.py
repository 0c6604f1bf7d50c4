"""Everything that CI checks; `./run test` runs this. Arguments are passed to pytest."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
SHARED = ["-n", "2", "--dist", "loadfile"]
"""Two processes; a file's tests stay in one, as what they share takes longer to make than they take."""
COUNTED = ROOT / ".coverage.json"

READ = [
    ("format", [BIN / "ruff", "format", "--check", "."]),
    ("lint", [BIN / "ruff", "check", "."]),
    ("layers", [BIN / "lint-imports"]),
    ("types", [BIN / "mypy"]),
]
"""They run beside the tests, whose processes are not always two: at the start and the end a core is free."""

RUN = [
    ("tests", [BIN / "slipcover", "--json", "--out", COUNTED, "-m", "pytest", *SHARED, *sys.argv[1:]]),
    ("coverage", [BIN / "slipcover", "--merge", COUNTED, "--out", COUNTED, "--skip-covered", "--fail-under", "90"]),
]
"""Slipcover: the tracer of coverage.py makes all of Python twice as slow, compilers and libraries with it."""


def failed(checks: list[tuple[str, list[str | Path]]], output: int | None = None) -> list[str]:
    """Names of the checks that failed. With `output` a pipe, what a check says is shown when it has ended."""
    names = []
    for name, command in checks:
        words = [str(part) for part in command]
        done = subprocess.run(words, cwd=ROOT, check=False, text=True, stdout=output, stderr=output)
        print(f"== {name}: {'failed' if done.returncode else 'passed'}", file=sys.stderr)
        print(done.stdout or "", done.stderr or "", sep="", end="", file=sys.stderr, flush=True)
        if done.returncode:
            names.append(name)
    return names


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # the processes have the cores
    COUNTED.unlink(missing_ok=True)
    with ThreadPoolExecutor() as pool:
        read = pool.submit(failed, READ, subprocess.PIPE)
        names = failed(RUN) + read.result()
    if names:
        sys.exit(f"failed: {', '.join(names)}")
