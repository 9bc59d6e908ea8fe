"""Models of several linear predictors: stated, solved, and answered as a frozen VectorFit."""
