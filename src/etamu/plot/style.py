"""How every figure looks: colours that survive colour blindness and a grey printer, quiet axes.

May import: numpy, `etamu._base`; matplotlib lazily, inside functions.
Read next: `etamu.plot.rows`, what the data say; then any picture, such as `etamu.plot.qq`.
"""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from etamu._base.errors import NotAvailableError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK = "#222222"
QUIET = "#6b6b6b"
FAINT = "#d9d9d9"


class Pen(NamedTuple):
    """Colour, dash and marker of one group: any one of the three tells groups apart."""

    colour: str
    dash: Any
    marker: str


PENS = (
    # Okabe and Ito (2008), ordered so that neighbours differ in lightness too.
    Pen("#0072b2", "-", "o"),
    Pen("#e69f00", (0, (6, 2)), "s"),
    Pen("#000000", (0, (1, 1.6)), "^"),
    Pen("#56b4e9", (0, (7, 2, 1.5, 2)), "D"),
    Pen("#009e73", (0, (3, 1.5)), "v"),
    Pen("#cc79a7", (0, (9, 2, 1.5, 2, 1.5, 2)), "P"),
)

RC: dict[Any, Any] = {
    "font.size": 10.0,
    "axes.titlesize": 12.0,
    "axes.labelsize": 10.5,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "text.color": INK,
    "legend.frameon": False,
    "mathtext.fontset": "dejavusans",
}
"""Settings of matplotlib inside our figures; the user's own are left as they are."""

_GREEK = {"mu": "μ", "eta": "η", "theta": "θ", "phi": "φ", "Phi": "Φ", "pi": "π"}


def blank(width: float, height: float) -> Figure:
    """Make an empty figure that belongs to no window.

    Raises
    ------
    NotAvailableError
        If matplotlib is not installed.
    """
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure as Blank
    except ImportError as error:
        message = "figures need matplotlib, which is not installed: pip install 'etamu[plot]'"
        raise NotAvailableError(message) from error
    figure = Blank(figsize=(width, height), dpi=160, layout="constrained", facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def panel(axes: Axes | None, width: float = 6.4, height: float = 4.8) -> Axes:
    """Return the axes given, or those of a new figure of one panel.

    Raises
    ------
    NotAvailableError
        If matplotlib is not installed.
    """
    if axes is not None:
        return axes
    figure = blank(width, height)
    with settings():
        return figure.subplots()


def panels(count: int) -> list[Axes]:
    """Return the axes of a new figure of several panels, at most three in a row."""
    across = 2 if count == 4 else min(count, 3)
    down = math.ceil(count / across)
    figure = blank(max(4.4 * across, 6.0), 3.9 * down)
    with settings():
        grid = figure.subplots(down, across, squeeze=False).ravel()
    for spare in grid[count:]:
        spare.remove()
    return list(grid[:count])


def figure_of(axes: Axes) -> Figure:
    """Return the figure that axes stand in, the outermost where figures are nested."""
    return axes.figure.figure


def settings() -> Any:
    """Return a context in which the house's settings hold."""
    from matplotlib import rc_context

    return rc_context(RC)


def title(axes: Axes, head: str, below: str) -> None:
    """Set a title on the left, and in quiet ink what it means."""
    axes.set_title(f"{head}\n", loc="left", fontweight="bold")
    # In points, so that the two lines stay apart however tall the axes are.
    style: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points"}
    axes.annotate(below, (0.0, 1.0), xytext=(0.0, 6.0), color=QUIET, fontsize=10, **style)


def note(axes: Axes, *parts: str, letters: int = 0) -> None:
    """Say below the horizontal axis, in small quiet print, what a reader must know; empty parts are left out.

    Parameters
    ----------
    axes : Axes
    *parts : str
    letters : int
        Where lines break; what fits below the axes if left out.
    """
    said = "; ".join(part for part in parts if part)
    if not said:
        return
    inches = axes.get_position().width * figure_of(axes).get_figwidth()
    lines = textwrap.wrap(said, letters or max(int(inches * 15.5), 40))
    axes.annotate(
        "\n".join(lines),
        xy=(1.0, 0.0),
        xycoords=("axes fraction", axes.xaxis.label),
        xytext=(0.0, -5.0),
        textcoords="offset points",
        ha="right",
        va="top",
        fontsize=8.5,
        color=QUIET,
        annotation_clip=False,
    )


def level_ticks(axes: Axes, labels: Sequence[str], room: int = 14) -> None:
    """Name levels below the horizontal axis: turned where they are long, some of them where they are many."""
    texts = [short(label, room) for label in labels]
    inches = axes.get_position().width * figure_of(axes).get_figwidth()
    turned = sum(len(text) + 2 for text in texts) > 13.0 * inches
    # A turned line of text needs a sixth of an inch.
    every = max(1, math.ceil(len(texts) / max(6.0 * inches, 1.0))) if turned else 1
    axes.set_xticks(
        range(0, len(texts), every),
        texts[::every],
        rotation=45.0 if turned else 0.0,
        rotation_mode="anchor" if turned else "default",
        ha="right" if turned else "center",
    )
    axes.set_xlim(-0.6, len(texts) - 0.4)


def quiet_grid(axes: Axes, axis: Any = "y") -> None:
    """Draw faint lines behind everything."""
    axes.grid(visible=True, axis=axis, color=FAINT, lw=0.6)
    axes.set_axisbelow(True)


def signed(value: float, digits: int = 2) -> str:
    """Write a number with a minus sign that is one.

    Examples
    --------
    >>> signed(-0.034), signed(-0.001)
    ('−0.03', '0.00')
    """
    text = f"{value:.{digits}f}"
    return text.replace("-", "−") if float(text) else text.removeprefix("-")


def short(text: str, room: int) -> str:
    """Cut a text that does not fit.

    Examples
    --------
    >>> short("a very long level", 8)
    'a very …'
    """
    return text if len(text) <= room else text[: room - 1] + "…"


def greek(text: str) -> str:
    """Write the formulas of families and links with the letters of the book.

    Examples
    --------
    >>> greek("mu (1 - mu)")
    'μ (1 − μ)'
    >>> greek("mu + mu^2 / theta")
    'μ + μ² / θ'
    """
    spelled = re.sub(r"\b(mu|eta|theta|phi|Phi|pi)\b", lambda match: _GREEK[match.group()], text)
    return spelled.replace("^2", "²").replace("^3", "³").replace(" - ", " − ").replace("(-", "(−")
