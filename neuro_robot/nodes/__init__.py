"""ROS 2 nodes: subscribe, call the core, publish; nothing is computed here."""
