"""From a data frame and a formula to a settled schema and design columns."""
