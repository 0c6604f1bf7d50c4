"""orbwatch: Space Domain Awareness in Python, from public orbital data to decisions with error bars that hold."""

from __future__ import annotations

__version__ = "0.1.0"
