"""What a fitted point implies: covariance, tests, intervals, dispersion, criteria; arrays in and out."""
