"""The commands of ``python -m fdx``."""
