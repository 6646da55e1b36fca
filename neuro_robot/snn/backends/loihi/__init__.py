"""Loihi and Loihi 2 as integers: what the chip holds (description), how it steps (kernel, machine), where it fits."""
