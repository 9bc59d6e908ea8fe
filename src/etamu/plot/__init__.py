"""Figures of a fit; needs matplotlib, `pip install etamu[plot]`."""

from etamu.plot.calibration import calibration as calibration
from etamu.plot.coefficients import coefficients as coefficients
from etamu.plot.components import components as components
from etamu.plot.convergence import convergence as convergence
from etamu.plot.double_lift import double_lift as double_lift
from etamu.plot.effects import effects as effects
from etamu.plot.levels import levels as levels
from etamu.plot.leverage import leverage as leverage
from etamu.plot.lift import lift as lift
from etamu.plot.page import page as page
from etamu.plot.probabilities import probabilities as probabilities
from etamu.plot.profile import profile as profile
from etamu.plot.qq import qq as qq
from etamu.plot.residuals import residuals as residuals
from etamu.plot.rootogram import rootogram as rootogram
from etamu.plot.spread import spread as spread
from etamu.plot.worm import worm as worm
