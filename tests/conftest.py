"""Property tests are the same on every machine and in every run: no deadline by the clock, examples by a fixed seed."""

from hypothesis import settings

settings.register_profile("project", deadline=None, derandomize=True)
settings.load_profile("project")
