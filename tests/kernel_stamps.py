"""Compiled kernels know only their own file: this puts a stamp of what they are compiled with into each.

numba keeps a kernel's machine code until the text of its own file changes, and never looks at the kernels and constants
that are compiled into it. So each file that has such imports carries a hash of them. `python tests/kernel_stamps.py`
renews the stamps after an edit; a test says when that was forgotten.
"""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

SRC = Path(__file__).parent.parent / "src"
STAMP = re.compile(r"^# Compiled with .*\n", re.MULTILINE)


def kernels() -> list[Path]:
    """Every kernel, those that others are compiled with first."""
    left = {path: dependencies(path) for path in sorted(SRC.rglob("*_kernel.py"))}
    ordered: list[Path] = []
    while left:
        ready = [path for path, needs in left.items() if not needs & left.keys()]
        ordered += ready
        for path in ready:
            del left[path]
    return ordered


def dependencies(kernel: Path) -> set[Path]:
    """Files of the package that a kernel imports."""
    text = kernel.read_text()
    names = set(re.findall(r"^from (orbwatch[\w.]*) import", text, re.MULTILINE))
    names |= {
        f"{package}.{name}"
        for package, what in re.findall(r"^from (orbwatch[\w.]*) import (.+)$", text, re.MULTILINE)
        for name in re.findall(r"\w+", what)
    }
    files = {SRC / (name.replace(".", "/") + ".py") for name in names}
    return {path for path in files if path.is_file()}


def stamped(kernel: Path) -> str:
    """The kernel's text with the stamp that it should carry."""
    text = STAMP.sub("", kernel.read_text())
    needs = sorted(dependencies(kernel))
    if not needs:
        return text
    parts = [f"{path.stem} {hashlib.sha256(path.read_bytes()).hexdigest()[:8]}" for path in needs]
    first = "from __future__ import annotations\n"
    return text.replace(first, f"# Compiled with {', '.join(parts)}; renewed by tests/kernel_stamps.py\n{first}", 1)


if __name__ == "__main__":
    for path in kernels():
        if (text := stamped(path)) != path.read_text():  # a file written anew is compiled anew
            path.write_text(text)
