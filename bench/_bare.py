"""A nation in which half of the files that can lack an A-number lack it: ERO and OPLA name their files by it (``feeds.md``)."""

from dataclasses import replace

from handhold.simulate.parameters import RATES

BARE = replace(RATES, number_blank_orr=0.5, number_blank_eoir=0.5, number_blank_uscis=0.5)
