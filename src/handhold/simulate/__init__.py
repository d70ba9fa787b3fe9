"""A synthetic nation: feeds as the agencies send them, of children who never were, and the truth about them.

Depends on no other part of Handhold, so that it can be held against all of them.
"""

from .nation import Summary, simulate
from .parameters import RATES, Rates

__all__ = ["RATES", "Rates", "Summary", "simulate"]
