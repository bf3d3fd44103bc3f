"""Building blocks without a registry name."""
