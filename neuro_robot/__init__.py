"""neuro_robot: an event-camera robotics runtime on ROS 2."""

__version__ = "0.1.0"
