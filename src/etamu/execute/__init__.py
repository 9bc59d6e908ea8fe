"""Where chunks come from and run; an executor knows things that add and rows in order, nothing else."""
