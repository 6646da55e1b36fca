"""What a spiking network is (network), how it runs and learns (compiled, kernel), and how it is kept (weights_file)."""
