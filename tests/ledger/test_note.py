"""A tree head as a C2SP signed note."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handhold.ledger.note import BadNote, Signer, Verifier

SIGNER = Signer.new()


@given(st.integers(0, 2**60), st.binary(min_size=32, max_size=32))
def test_what_was_signed_opens(size: int, root: bytes) -> None:
    head = Verifier.parsed(str(SIGNER.verifier)).open(SIGNER.sign(size, root))
    assert (head.origin, head.size, head.root) == (SIGNER.name, size, root)


@given(st.data())
def test_a_note_with_any_character_changed_does_not_open(data: st.DataObject) -> None:
    note = SIGNER.sign(5, b"r" * 32)
    at = data.draw(st.integers(0, len(note) - 2))
    other = data.draw(st.sampled_from("0Az/ \n").filter(lambda c: c != note[at]))
    changed = note[:at] + other + note[at + 1 :]
    with pytest.raises(BadNote):
        SIGNER.verifier.open(changed)


def test_a_cosignature_of_another_does_not_hinder() -> None:
    """Other agencies add their lines below."""
    note = SIGNER.sign(5, b"r" * 32)
    witness = Signer.new().sign(5, b"r" * 32).splitlines()[-1]
    assert SIGNER.verifier.open(f"{note}{witness}\n").size == 5


@pytest.mark.parametrize("text", ["", "a+b", "name+00000000+AAAA", "name+zz+!!!"])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(BadNote):
        Verifier.parsed(text)
