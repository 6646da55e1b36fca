"""neuro_robot: an event-camera robotics runtime on ROS 2."""

import os

__version__ = "0.1.0"

# Read by numba when it is imported: see kernel_cache.py. The last are numba's own, for everybody else's functions.
_PLACES = ("Chosen", "BesideTheSource", "OfTheUser")
_OTHERS = ("UserProvidedCacheLocator", "InTreeCacheLocator", "UserWideCacheLocator", "IPythonCacheLocator")
os.environ.setdefault(
    "NUMBA_CACHE_LOCATOR_CLASSES", ",".join([*(f"neuro_robot.kernel_cache.{name}" for name in _PLACES), *_OTHERS])
)
