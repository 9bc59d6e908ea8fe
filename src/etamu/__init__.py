"""Generalized linear models, stated in eta.

import etamu as em

fit = em.glm("claims ~ C(region) + age", data, family="poisson", exposure="years")
print(fit)
"""

import typing as _typing
from importlib import import_module as _import_module

from etamu._base.errors import (
    AliasWarning as AliasWarning,
)
from etamu._base.errors import (
    ConvergenceWarning as ConvergenceWarning,
)
from etamu._base.errors import (
    DataError as DataError,
)
from etamu._base.errors import (
    DroppedLevelsWarning as DroppedLevelsWarning,
)
from etamu._base.errors import (
    DroppedRowsWarning as DroppedRowsWarning,
)
from etamu._base.errors import (
    EtamuError as EtamuError,
)
from etamu._base.errors import (
    EtamuWarning as EtamuWarning,
)
from etamu._base.errors import (
    FamilyError as FamilyError,
)
from etamu._base.errors import (
    FileError as FileError,
)
from etamu._base.errors import (
    FormulaError as FormulaError,
)
from etamu._base.errors import (
    LinkError as LinkError,
)
from etamu._base.errors import (
    NotAvailableError as NotAvailableError,
)
from etamu._base.errors import (
    OptionError as OptionError,
)
from etamu._base.errors import (
    SeparationError as SeparationError,
)
from etamu._base.errors import (
    SeparationWarning as SeparationWarning,
)
from etamu._base.later import later as _later
from etamu._base.version import __version__ as __version__
from etamu.api import (
    GLM as GLM,
)
from etamu.api import (
    glm as glm,
)
from etamu.family.borrowed import (
    Binomial as Binomial,
)
from etamu.family.borrowed import (
    Quasi as Quasi,
)
from etamu.family.borrowed import (
    QuasiBinomial as QuasiBinomial,
)
from etamu.family.borrowed import (
    QuasiPoisson as QuasiPoisson,
)
from etamu.family.borrowed import (
    Tweedie as Tweedie,
)
from etamu.family.catalogue import families as families
from etamu.family.families import (
    Bernoulli as Bernoulli,
)
from etamu.family.families import (
    Gamma as Gamma,
)
from etamu.family.families import (
    Gaussian as Gaussian,
)
from etamu.family.families import (
    InverseGaussian as InverseGaussian,
)
from etamu.family.families import (
    NegativeBinomial as NegativeBinomial,
)
from etamu.family.families import (
    Poisson as Poisson,
)
from etamu.family.links import Power as Power
from etamu.family.unit import Unit as Unit
from etamu.fit.pictured import PICTURES as _PICTURES
from etamu.fit.pictured import PICTURES_OF_SEVERAL as _PICTURES_OF_SEVERAL
from etamu.fit.result import Fit as Fit

# The pictures are hung in the door of the fit, which knows no plotting; each is loaded when it is drawn.
_PICTURES |= {
    name: _later(f"etamu.plot.{name}", name)
    for name in (
        *("page", "residuals", "qq", "worm", "spread", "leverage", "coefficients", "effects", "levels"),
        *("calibration", "lift", "double_lift", "rootogram", "components", "profile", "convergence"),
    )
}
_PICTURES_OF_SEVERAL |= {
    name: _later(f"etamu.plot.{name}", name)
    for name in ("probabilities", "coefficients", "qq", "worm", "convergence")
}

if _typing.TYPE_CHECKING:
    from etamu import plot as plot
    from etamu.family.beta import Beta as Beta
    from etamu.family.beta import BetaBinomial as BetaBinomial
    from etamu.family.check import check_family as check_family
    from etamu.family.check import check_link as check_link
    from etamu.family.conway import ConwayMaxwellPoisson as ConwayMaxwellPoisson
    from etamu.family.derive import derive as derive
    from etamu.family.excess import HurdleNegativeBinomial as HurdleNegativeBinomial
    from etamu.family.excess import HurdlePoisson as HurdlePoisson
    from etamu.family.excess import ZeroInflatedNegativeBinomial as ZeroInflatedNegativeBinomial
    from etamu.family.excess import ZeroInflatedPoisson as ZeroInflatedPoisson
    from etamu.family.excess import ZeroTruncatedNegativeBinomial as ZeroTruncatedNegativeBinomial
    from etamu.family.excess import ZeroTruncatedPoisson as ZeroTruncatedPoisson
    from etamu.family.loss import loss as loss
    from etamu.family.multinomial import Multinomial as Multinomial
    from etamu.family.ordinal import AdjacentCategory as AdjacentCategory
    from etamu.family.ordinal import ContinuationRatio as ContinuationRatio
    from etamu.family.ordinal import Cumulative as Cumulative
    from etamu.family.overdispersed import GeneralizedPoisson as GeneralizedPoisson
    from etamu.family.overdispersed import NegativeBinomial1 as NegativeBinomial1
    from etamu.family.overdispersed import NegativeBinomial2 as NegativeBinomial2
    from etamu.family.stated import StatedLink as StatedLink
    from etamu.fit.compare_links import compare_links as compare_links
    from etamu.fit.why_not_ols import why_not_ols as why_not_ols
    from etamu.infer.adjust import adjust as adjust
    from etamu.vector.compare import compare as compare
    from etamu.vector.restore import load as load
    from etamu.vector.result import VectorFit as VectorFit
else:
    _LATER = {
        "check_family": "etamu.family.check",
        "check_link": "etamu.family.check",
        "derive": "etamu.family.derive",
        "loss": "etamu.family.loss",
        "Multinomial": "etamu.family.multinomial",
        "AdjacentCategory": "etamu.family.ordinal",
        "ContinuationRatio": "etamu.family.ordinal",
        "Cumulative": "etamu.family.ordinal",
        "Beta": "etamu.family.beta",
        "BetaBinomial": "etamu.family.beta",
        "ConwayMaxwellPoisson": "etamu.family.conway",
        "GeneralizedPoisson": "etamu.family.overdispersed",
        "NegativeBinomial1": "etamu.family.overdispersed",
        "NegativeBinomial2": "etamu.family.overdispersed",
        "HurdleNegativeBinomial": "etamu.family.excess",
        "HurdlePoisson": "etamu.family.excess",
        "ZeroInflatedNegativeBinomial": "etamu.family.excess",
        "ZeroInflatedPoisson": "etamu.family.excess",
        "ZeroTruncatedNegativeBinomial": "etamu.family.excess",
        "ZeroTruncatedPoisson": "etamu.family.excess",
        "compare": "etamu.vector.compare",
        "compare_links": "etamu.fit.compare_links",
        "load": "etamu.vector.restore",
        "StatedLink": "etamu.family.stated",
        "why_not_ols": "etamu.fit.why_not_ols",
        "adjust": "etamu.infer.adjust",
        "VectorFit": "etamu.vector.result",
    }

    def __getattr__(name: str) -> object:
        """Load what a fit does not need when it is asked for."""
        if name == "plot":
            return _import_module("etamu.plot")
        if name not in _LATER:
            raise AttributeError(f"module 'etamu' has no attribute {name!r}")
        globals()[name] = getattr(_import_module(_LATER[name]), name)
        return globals()[name]

    def __dir__() -> list[str]:
        """List what there is, loaded or not."""
        return sorted({*globals(), *_LATER, "plot"})
