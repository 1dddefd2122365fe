"""Charts and contact sheets; each function gives one that draws a file."""

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np

Draw = Callable[[str], None]
MANY = 60  # classes whose names no longer fit


def confusion(matrix: np.ndarray, names: Sequence[str]) -> Draw:
    """Confusion: rows are what is, columns what it was taken for."""

    def draw(path: str) -> None:
        from matplotlib.figure import Figure

        count = len(matrix)
        side = min(4 + 0.28 * count, 16)
        figure = Figure(figsize=(side + 1, side), layout='tight')
        axes = figure.add_subplot()
        shares = matrix / np.maximum(matrix.sum(1, keepdims=True), 1)
        image = axes.imshow(shares, vmin=0, vmax=1, cmap='Blues')
        figure.colorbar(image, shrink=0.7, label='share of the row')
        if count <= MANY:
            labels = [
                str(names[k]) if k < len(names) else str(k)
                for k in range(count)
            ]
            axes.set_xticks(range(count), labels, rotation=90, fontsize=7)
            axes.set_yticks(range(count), labels, fontsize=7)
        if count <= 20:
            for (row, column), value in np.ndenumerate(matrix):
                if value:
                    dark = shares[row, column] > 0.5
                    axes.text(
                        column, row, f'{value}', ha='center', va='center',
                        fontsize=6, color='white' if dark else 'black',
                    )  # fmt: skip
        axes.set_xlabel('taken for')
        axes.set_ylabel('is')
        figure.savefig(path, dpi=100)

    return draw


def bars(names: Sequence[str], values: Sequence[float], title: str) -> Draw:
    """One bar per name."""

    def draw(path: str) -> None:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(6, 1 + 0.28 * len(names)), layout='tight')
        axes = figure.add_subplot()
        axes.barh(range(len(names)), values)
        axes.set_yticks(range(len(names)), names, fontsize=8)
        axes.invert_yaxis()
        axes.set_xlabel(title)
        figure.savefig(path, dpi=100)

    return draw


def lines(
    curves: dict[str, tuple[Any, Any]], x_title: str, y_title: str
) -> Draw:
    """Curves by name."""

    def draw(path: str) -> None:
        from matplotlib.figure import Figure

        figure = Figure(figsize=(6, 4.5), layout='tight')
        axes = figure.add_subplot()
        for name, (x, y) in curves.items():
            axes.plot(x, y, label=name)
        axes.set_xlabel(x_title)
        axes.set_ylabel(y_title)
        axes.grid(alpha=0.3)
        if 0 < len(curves) <= 20:
            axes.legend(fontsize=7)
        figure.savefig(path, dpi=100)

    return draw


def tile(
    pictures: Sequence[np.ndarray],
    titles: Sequence[str],
    columns: int = 5,
    size: tuple[int, int] = (240, 180),
) -> np.ndarray:
    """A contact sheet.

    Args:
        pictures: (H, W, 3), bytes.
        titles: A line above each.
        columns: Pictures of a row.
        size: Width and height of the place of a picture in pixels.

    Returns:
        One picture (H, W, 3).
    """
    width, height = size
    cells = []
    for picture, title in zip(pictures, titles):
        cell = np.full((height + 18, width + 6, 3), 255, np.uint8)
        scale = min(width / picture.shape[1], height / picture.shape[0])
        shape = [max(round(n * scale), 1) for n in picture.shape[1::-1]]
        small = cv2.resize(picture, shape, interpolation=cv2.INTER_AREA)
        cell[18 : 18 + small.shape[0], : small.shape[1]] = small
        cv2.putText(
            cell, title, (1, 13), cv2.FONT_HERSHEY_SIMPLEX, 0.36, (0, 0, 0),
            1, cv2.LINE_AA,
        )  # fmt: skip
        cells.append(cell)
    columns = min(columns, len(cells))
    while len(cells) % columns:
        cells.append(np.full_like(cells[0], 255))
    rows = [
        np.hstack(cells[i : i + columns])
        for i in range(0, len(cells), columns)
    ]
    return np.vstack(rows)
