"""Generalized linear models, stated in eta.

    import etamu as em

    fit = em.glm("claims ~ C(region) + age", data, family="poisson", exposure="years")
    print(fit)
"""

from etamu._base.errors import (
    AliasWarning as AliasWarning,
    ConvergenceWarning as ConvergenceWarning,
    DataError as DataError,
    DroppedLevelsWarning as DroppedLevelsWarning,
    DroppedRowsWarning as DroppedRowsWarning,
    EtamuError as EtamuError,
    EtamuWarning as EtamuWarning,
    FamilyError as FamilyError,
    FormulaError as FormulaError,
    LinkError as LinkError,
    NotAvailableError as NotAvailableError,
    OptionError as OptionError,
)
from etamu.api import glm as glm
from etamu.family.borrowed import (
    Binomial as Binomial,
    Quasi as Quasi,
    QuasiBinomial as QuasiBinomial,
    QuasiPoisson as QuasiPoisson,
    Tweedie as Tweedie,
)
from etamu.family.families import (
    Bernoulli as Bernoulli,
    Gamma as Gamma,
    Gaussian as Gaussian,
    InverseGaussian as InverseGaussian,
    NegativeBinomial as NegativeBinomial,
    Poisson as Poisson,
)
from etamu.family.links import Power as Power
from etamu.family.unit import Unit as Unit
from etamu.fit.compare_links import compare_links as compare_links
from etamu.fit.result import Fit as Fit

__version__ = "0.1.0"
