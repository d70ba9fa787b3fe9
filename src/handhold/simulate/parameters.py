"""What the synthetic nation is calibrated to: every rate with where it comes from.

Sources: ``domain`` is the project's study of the field (section number), ``sample`` the rates counted in the
small agreed sample of the feeds, ``assumed`` a plain assumption that nothing published settles.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rates:
    """Shares (0 to 1), days and hours that drive the simulation; none depends on the number of children."""

    # who comes
    fiscal_years: tuple[float, ...] = (0.15, 0.03, 0.27, 0.28, 0.27)  # domain 6.4, FY2019-23
    ages: tuple[tuple[int, int, float], ...] = (  # domain 6.2, October 2021: first age, last age, share
        (0, 5, 0.019),
        (6, 12, 0.140),
        (13, 14, 0.138),
        (15, 16, 0.370),
        (17, 17, 0.333),
    )
    male: float = 0.64  # domain 6.2, EOIR juvenile file
    first_january: float = 0.02  # sample; birth dates guessed at the border
    sibling_pairs: float = 0.16  # linkage: 20 % of the children come with a sibling
    sibling_threes: float = 0.04
    twins: float = 0.05  # linkage: of second siblings
    siblings_numbered_together: float = 0.7  # sample
    second_given: float = 0.53  # sample
    single_surname: float = 0.06  # sample
    maya: float = 0.33  # of Guatemalan children, from the languages of domain 6.2
    enye: float = 0.053  # of Spanish surnames; gives an enye in about one name of twelve
    language_of_home: float = 0.9  # of Maya children entered with a Maya language

    # custody and release
    transfer_late: float = 0.047  # sample; over 72 hours (domain 2.5, transfer_72h)
    stay_median: float = 30.0  # domain 6.2, length of care 27-33 days
    stay_spread: float = 0.55  # sample
    discharge_types: tuple[tuple[str, float], ...] = (  # sample
        ("VOLUNTARY DEPARTURE", 0.017),
        ("DHS ADULT OR FAMILY", 0.007),
        ("RAN AWAY", 0.007),
        ("RELIEF GRANTED", 0.003),
        ("LAW ENFORCEMENT", 0.002),
        ("URM", 0.002),
    )
    age_out_of_17: float = (
        0.01  # assumed: kept to the 18th birthday; most age-outs follow from the length of stay
    )
    sponsor_categories: tuple[tuple[str, float], ...] = (  # domain 6.2: 38 / 48 / 14
        ("1", 0.38),
        ("2A", 0.33),
        ("2B", 0.15),
        ("3", 0.14),
    )
    home_study: float = 0.09  # sample
    release_not_told: float = 0.043  # sample: DHS never told
    release_told_late: float = 0.12  # sample: told 2 to 29 days after
    run_reported: float = 0.78  # assumed; domain 1.2 says only "not always"

    # addresses
    bad_address: float = 0.069  # domain 1.2 and 6.4: 31,000 of 448,820
    bad_blank: float = 0.10  # domain 6.4 [UOK] split
    bad_undeliverable: float = 0.40
    unit: float = 0.36  # sample
    ero_address_blank: float = 0.084  # sample, of released children
    children_per_cluster: int = 700  # assumed: one shared address in so many children
    cluster_size: tuple[int, int] = (3, 8)  # assumed; three or more is the signal of design 5
    moves_per_year: float = 0.25  # domain 6.4 [UOK]
    moves_within_days: int = 700  # sample
    move_told_orr: float = 0.26  # sample: shares of movers
    move_told_uscis: float = 0.065
    move_told_court: float = 0.24

    # charging documents
    nta_served: float = 0.495  # domain 6.4: 48 %, sample 49.5 %
    nta_issued_only: float = 0.232  # sample
    nta_filed_of_served: float = 0.86  # sample
    ero_filed_blank: float = 0.044  # sample
    hold_uscis: float = 0.75  # sample: of those not served who asked for asylum
    hold_backlog: float = 0.15

    # court
    represented: float = 0.40  # domain 6.4
    missed_represented: float = 0.05
    missed_alone: float = 0.30
    missed_absentia: float = 0.75  # domain 6.4 [UOK], of misses
    missed_closed: float = 0.03  # sample
    case_ended: float = 0.40  # sample
    next_hearing_set: float = 0.75  # sample
    returned: float = 0.03  # sample: notices sent back, from a good, an old, a bad address
    returned_old: float = 0.38
    returned_bad: float = 0.40
    opla_knows: float = 0.56  # sample
    opla_says_no: float = 0.35
    opla_case_blank: float = 0.20
    ero_knows: float = 0.40  # sample
    juvenile_flag: float = 0.59  # sample; domain 3.4(a): the flag misses about half
    priority_code: float = 0.31  # sample
    birth_month_blank: float = 0.25  # domain 3.4, sample
    adult_flagged: float = 0.33  # sample: idnJuvenile 5

    # contact after release (domain 6.4: 79.6 % with the sponsor, 0.7 % elsewhere, 0.4 % ran)
    contact_tried: float = 0.89  # sample
    reached: float = 0.795
    no_answer: float = 0.135
    refused: float = 0.04
    second_attempt: float = 0.5  # assumed, of unanswered calls
    elsewhere: float = 0.013
    undocumented: float = 0.18  # domain 5.3
    concern: float = 0.01  # domain 6.4 [UOK]
    other_incident: float = 0.004  # assumed

    # benefits
    i589: float = 0.19  # sample
    i360: float = 0.06  # sample
    other_benefit: float = 0.006  # assumed, I-914 and I-918

    # numbers and typing, multiplied by `error`
    two_numbers: float = 0.03  # domain 6.4
    second_number_used: float = 0.5  # sample, of such a child's files outside ERO
    sibling_number: float = 0.004  # linkage 3
    number_mistyped: float = 0.003  # sample
    number_blank_orr: float = 0.077  # sample
    number_blank_uscis: float = 0.08
    number_blank_eoir: float = 0.0  # of court cases, in the exchange's crosswalk
    name_error: tuple[tuple[str, float], ...] = (  # sample, per file
        ("ERO", 0.045),
        ("ORR", 0.045),
        ("EOIR", 0.065),
        ("OPLA", 0.045),
        ("USCIS", 0.070),
    )
    given_error: float = 0.014  # sample, per file
    birth_error: float = 0.016  # sample, per file
    keeps_accents: tuple[tuple[str, float], ...] = (  # assumed: who types the enye
        ("ERO", 0.0),
        ("ORR", 0.8),
        ("EOIR", 0.96),
        ("OPLA", 0.0),
        ("USCIS", 0.5),
    )

    # defects of the EOIR extract (domain 3.4), per row, multiplied by `error`
    extra_tab: float = 0.0009
    extra_tab_beyond_repair: float = 0.00002  # 2 of 100
    nul_byte: float = 0.0013
    padded_code: float = 0.004
    zip_backtick: float = 0.003
    zip_plus_four: float = 0.005
    zip_lost_zero: float = 0.02  # of those that begin with one
    redacted: float = 0.0005
    unknown_entry: float = 0.002
    impossible_hearing: float = 0.0001


RATES = Rates()
