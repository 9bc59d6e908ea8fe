"""The orchestra: a problem is stated, started, solved, and becomes a frozen Fit."""
