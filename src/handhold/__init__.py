"""Handhold keeps every unaccompanied child accounted for after release from federal custody."""

__version__ = "0.1.0"
