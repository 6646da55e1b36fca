"""Bags: a run written down as standard rosbag2 (MCAP), read back, and compared bit for bit. No ROS needed."""
