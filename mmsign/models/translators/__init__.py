"""The networks that end in sentences."""
