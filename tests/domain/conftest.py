"""Properties of pure functions have no deadline: on a busy machine it would only measure that."""

from hypothesis import settings

settings.register_profile("slotkeeper", deadline=None)
settings.load_profile("slotkeeper")
