"""The compiled code of the `cpu` back end: tables (what it works on), step (the order of a step), and its parts."""
