"""A robot's mind: events to spikes, a network that learns, spikes to a command."""
