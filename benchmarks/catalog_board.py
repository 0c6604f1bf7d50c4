"""The catalogue's forecaster against SGP4, physics, networks and trees alone: errors and regions, as a leaderboard.

Takes the packaged model and the askings that it was not trained on, as `orbwatch evaluate catalog --output` does.
"""

from __future__ import annotations

from pathlib import Path

from orbwatch.catalog.history import read_history
from orbwatch.catalog.ids import read_names
from orbwatch.catalog.written import write_atomically
from orbwatch.learn.judging.catalog_board import board_of
from orbwatch.learn.judging.catalog_judge import unseen_windows
from orbwatch.models.catalog_runtime import CatalogForecaster
from orbwatch.progress import silent
from orbwatch.report.catalog_board import lead, markdown, width_sentence
from orbwatch.report.catalog_board_picture import picture
from orbwatch.settings_groups import AskSettings

MODEL = "catalog"
THREADS = 2
PICTURE = Path(__file__).parent.parent / "docs" / "catalog_board.svg"


def run(data: Path) -> str:
    """The section in Markdown; its picture goes to docs/."""
    folder = data / "data" / "gp_history"
    history = read_history(folder / "gp_history_2026.parquet")
    windows = unseen_windows(history, AskSettings(), silent)
    model = CatalogForecaster.load(MODEL, THREADS)
    board = board_of(model, windows, history.table, read_names(folder / "objects.tsv"), silent)
    write_atomically(PICTURE, picture(board.rows).encode())
    facts = "; ".join(f"{name}: {value}" for name, value in board.facts.items())
    return (
        "## Forecasts of the catalogue\n\n"
        f"{lead(board)} {width_sentence(board.widths)}\n\n"
        f"{facts[:1].upper()}{facts[1:]}. Cells: after 1 / 3 / 7 days, 3D errors as ratios to SGP4 from the newest "
        "public set. Noise floor: median distance of neighbouring sets half-way between them. Best physics: of SGP4, "
        "robust trends of the time shift, refitted mean motion and B*, mean elements, frozen perigee and slot-keeping, "
        "the one with the least median on these very truths.\n\n"
        f"![Ratios of median errors by group and horizon](docs/{PICTURE.name})\n\n"
        f"{markdown(board)}"
    )
