"""Everything that CI checks, in order; `./run test` runs this. Arguments are passed to pytest."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent
SHARED = ["-n", "2", "--dist", "loadfile"]
"""Two processes; a file's tests stay in one, as what they share takes longer to make than they take."""

CHECKS = [
    ("format", [BIN / "ruff", "format", "--check", "."]),
    ("lint", [BIN / "ruff", "check", "."]),
    ("types", [BIN / "mypy"]),
    ("layers", [BIN / "lint-imports"]),
    ("tests", [sys.executable, "-m", "pytest", *SHARED, "--cov", "--cov-report=term", *sys.argv[1:]]),
]

if __name__ == "__main__":
    failed = []
    for name, command in CHECKS:
        print(f"== {name}", file=sys.stderr, flush=True)
        if subprocess.run([str(part) for part in command], cwd=ROOT, check=False).returncode:
            failed.append(name)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")
