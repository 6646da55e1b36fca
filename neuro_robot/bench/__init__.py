"""The benchmark suite: flights without ROS, many seeds at once, and what a run leaves behind."""
