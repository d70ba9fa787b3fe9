"""Small charts as inline SVG, drawn on the server: they need no script and no style of their own, and a sentence stands beside each."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

HEIGHT = 48
BAR, GAP = 10, 4
THIN, BETWEEN = 5, 2


@dataclass(frozen=True)
class Stack:
    """One bar: parts from the bottom up, each a count and the class that colours it; ``title`` is shown by the pointer."""

    parts: tuple[tuple[int, str], ...]
    title: str


def stacks(bars: Sequence[Stack], label: str) -> SafeString:
    """Bars side by side, the highest as high as the chart. ``label`` is what is read aloud in its place."""
    most = max((sum(n for n, _ in bar.parts) for bar in bars), default=0) or 1
    drawn = format_html_join(
        "", "<g><title>{}</title>{}</g>", ((bar.title, _stack(bar, at, most)) for at, bar in enumerate(bars))
    )
    return _svg(len(bars) * (BAR + GAP) - GAP, label, drawn)


def _stack(bar: Stack, at: int, most: int) -> SafeString:
    parts, top = [], float(HEIGHT)
    for count, colour in bar.parts:
        high = count / most * (HEIGHT - 2)
        top -= high
        parts.append((at * (BAR + GAP), f"{top:.1f}", BAR, f"{max(high, 1.0) if count else 0:.1f}", colour))
    return format_html_join("", '<rect x="{}" y="{}" width="{}" height="{}" class="{}"/>', parts)


@dataclass(frozen=True)
class Share:
    """A share of a whole (0 to 1), what is usual, and whether it is far from that."""

    now: float
    usual: float | None
    far: bool
    title: str


def shares(bars: Sequence[Share], label: str) -> SafeString:
    """Thin bars, each on a pale ground that is the whole, with a mark where the usual share stands."""
    drawn = format_html_join(
        "", "<g><title>{}</title>{}</g>", ((bar.title, _share(bar, at)) for at, bar in enumerate(bars))
    )
    return _svg(len(bars) * (THIN + BETWEEN) - BETWEEN, label, drawn)


def _share(bar: Share, at: int) -> SafeString:
    x, high = at * (THIN + BETWEEN), bar.now * HEIGHT
    ground = format_html('<rect x="{}" y="0" width="{}" height="{}" class="hh-c-ground"/>', x, THIN, HEIGHT)
    colour = "hh-c-bad" if bar.far else "hh-c-fill"
    filled = format_html(
        '<rect x="{}" y="{}" width="{}" height="{}" class="{}"/>',
        x,
        f"{HEIGHT - high:.1f}",
        THIN,
        f"{high:.1f}",
        colour,
    )
    if bar.usual is None:
        return ground + filled
    mark = format_html(
        '<rect x="{}" y="{}" width="{}" height="2" class="hh-c-mark"/>',
        x,
        f"{max(0.0, (1 - bar.usual) * HEIGHT - 1):.1f}",
        THIN,
    )
    return ground + filled + mark


def _svg(width: int, label: str, drawn: SafeString) -> SafeString:
    return format_html(
        '<svg class="hh-chart" role="img" aria-label="{}" viewBox="0 0 {} {}" width="{}" height="{}">{}</svg>',
        label, max(width, 1), HEIGHT, max(width, 1), HEIGHT, drawn,
    )  # fmt: skip
