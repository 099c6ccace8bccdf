"""What every test may use."""

from hypothesis import settings

pytest_plugins = ["tests.browser", "tests.postgresql", "tests.stores"]

# A deadline for each example measures how busy the machine is; what takes too long is found by pytest's own time limit.
settings.register_profile("house", deadline=None)
settings.load_profile("house")
