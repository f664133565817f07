"""src/mlprod."""
