"""The words of the nation are what they claim to be."""

import zipcodes

from handhold.simulate.parameters import RATES
from handhold.simulate.words import PLACES, REGIONS, SPANISH_ENYE


def test_every_zip_code_is_of_its_town() -> None:
    for city, state, codes, _, _ in PLACES:
        for code in codes.split():
            (found, *_) = zipcodes.matching(code)
            names = [found["city"], *found["acceptable_cities"]]
            assert found["state"] == state, code
            assert city in {name.upper() for name in names}, code


def test_names_are_distinct_capitals_that_cp1252_can_write() -> None:
    for region in REGIONS:
        for pool in (region.surnames, region.male, region.female):
            assert len(set(pool)) == len(pool), [name for name in pool if pool.count(name) > 1]
            assert all(name.isupper() and name.encode("cp1252") for name in pool)
    assert all("Ñ" in name for name in SPANISH_ENYE)


def test_shares_are_shares() -> None:
    assert sum(share for _, share in RATES.sponsor_categories) == 1.0
    assert abs(sum(RATES.fiscal_years) - 1) < 1e-9
    assert abs(sum(share for *_, share in RATES.ages) - 1) < 1e-9
