"""Words and ticks that fit: nothing overlaps, a minus is a minus, notes stand below the axis."""

from __future__ import annotations

import itertools

import pytest

from etamu.plot.style import figure_of, level_ticks, note, panel, panels, settings, short, signed, title

pytest.importorskip("matplotlib")


@pytest.mark.parametrize("height", [2.0, 4.0, 14.0])
def test_the_two_lines_of_a_title_and_the_note_do_not_overlap(height):
    axes = panel(None, 6.0, height)
    with settings():
        title(axes, "A head", "what it means")
        axes.plot([0, 1], [0, 1])
        axes.set_xlabel("x")
        note(axes, "one thing", "", "another " * 30)
    figure = figure_of(axes)
    figure.draw_without_rendering()
    head, below, foot = axes._left_title, *axes.texts
    boxes = [text.get_window_extent() for text in (below, foot)]
    assert head.get_text() == "A head\n"
    # The head is a line and an empty line; the line below it lies in that empty line.
    assert boxes[0].y1 < head.get_window_extent().y1 - 0.3 * head.get_window_extent().height
    assert boxes[1].y1 < axes.xaxis.label.get_window_extent().y0
    assert boxes[1].y0 >= 0.0
    assert foot.get_text().startswith("one thing; another")


def test_a_note_without_words_is_none():
    axes = panel(None)
    note(axes, "", "")
    assert not list(axes.texts)


@pytest.mark.parametrize("count", [1, 3, 4, 7])
def test_panels_are_as_many_as_asked(count):
    places = panels(count)
    assert len(places) == count == len(figure_of(places[0]).axes)


@pytest.mark.parametrize(
    "labels",
    [["a", "b"], ["a very long name of a level"] * 5, [f"level {k}" for k in range(60)]],
    ids=["few", "long", "many"],
)
def test_names_of_levels_do_not_overlap(labels):
    axes = panel(None, 6.0, 4.0)
    with settings():
        level_ticks(axes, labels)
    figure_of(axes).draw_without_rendering()
    ticks = [text for text in axes.get_xticklabels() if text.get_text()]
    assert axes.get_xlim() == (-0.6, len(labels) - 0.4)
    if ticks[0].get_rotation() == 0.0:
        boxes = [text.get_window_extent() for text in ticks]
        assert all(left.x1 < right.x0 for left, right in itertools.pairwise(boxes))
    else:
        places = axes.transData.transform([(at, 0.0) for at in axes.get_xticks()])[:, 0]
        line = ticks[0].get_fontsize() * figure_of(axes).dpi / 72.0
        assert (places[1:] - places[:-1]).min() > line


def test_short_and_signed():
    assert short("abc", 3) == "abc"
    assert short("abcd", 3) == "ab…"
    assert [signed(value, 1) for value in (-0.26, -0.04, 3.0)] == ["−0.3", "0.0", "3.0"]
