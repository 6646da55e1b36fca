"""What the commands `info`, `convert` and `view` do with a recording of events, of whatever format."""
