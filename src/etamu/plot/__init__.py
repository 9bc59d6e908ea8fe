"""Figures of a fit; needs matplotlib, `pip install etamu[plot]`."""

from etamu.plot.components import components as components
