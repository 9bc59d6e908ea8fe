"""What every test shares: no draw of hypothesis is judged by the clock, which a busy machine would decide."""

from hypothesis import settings

settings.register_profile("etamu", deadline=None)
settings.load_profile("etamu")
