"""The errors of the package: one tree, so that a caller can catch all of it at once."""


class NeuroRobotError(Exception):
    """Something from outside was not usable; the message says what was expected, what came and what to do."""


class ConfigError(NeuroRobotError):
    """A parameter is unknown, of the wrong type, or out of its range."""


class WorldError(NeuroRobotError):
    """A world description breaks its schema; the message names the file and the path inside it."""


class PacketError(NeuroRobotError):
    """An event packet cannot be used at all (unknown encoding, impossible geometry)."""


class SampleError(NeuroRobotError):
    """A sample of what a robot feels cannot be used (joints that nobody can tell apart)."""


class FileFormatError(NeuroRobotError):
    """An event file cannot be read or written; the message names the defect and, inside a file, its byte offset."""


class WeightsError(NeuroRobotError):
    """A weights file is truncated, foreign, of another version or of another network."""


class BagError(NeuroRobotError):
    """A bag cannot be opened, or lacks what was asked of it."""


class SimulationError(NeuroRobotError):
    """The simulation cannot run (a missing library, a vehicle that cannot fly)."""
