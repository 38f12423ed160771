"""Sealed words: what opens them, and what does not."""

import pytest

from portal.kernel import vault
from portal.kernel.vault import CannotOpen, Key

OLD, NEW = "a key of the past that is long enough", "the key of today that is long enough"


@pytest.fixture(autouse=True)
def keys():
    before = list(vault._read)
    keys = [OLD]
    vault.configure(lambda: ",".join(keys))
    yield keys
    vault._read[:] = before
    vault._known.clear()


def _key(owner: str = "conversation:abc") -> Key:
    return Key(owner, b"k" * 32)


def test_a_text_opens_only_in_its_place_and_for_its_purpose():
    box = _key().seal("Bielefeld is real", purpose="message:1")
    assert "Bielefeld" not in box
    assert _key().open(box, purpose="message:1") == "Bielefeld is real"
    with pytest.raises(CannotOpen):
        _key().open(box, purpose="message:2")
    with pytest.raises(CannotOpen):
        _key("conversation:other").open(box, purpose="message:1")
    with pytest.raises(CannotOpen):
        _key().open(box[:-6] + "AAAAA=", purpose="message:1")


def test_the_same_text_never_looks_the_same():
    assert _key().seal("yes", purpose="message:1") != _key().seal("yes", purpose="message:1")


def test_a_key_wrapped_before_opens_as_long_as_the_former_key_is_there(keys):
    name, wrapped = vault.wrap(_key())
    keys[:] = [NEW, OLD]
    assert vault.unwrap(name, wrapped, "conversation:abc").secret == b"k" * 32
    assert vault.wrap(_key())[0] != name
    keys[:] = [NEW]
    vault._known.clear()
    with pytest.raises(CannotOpen):
        vault.unwrap(name, wrapped, "conversation:abc")


def test_a_key_moved_to_another_row_does_not_open(keys):
    name, wrapped = vault.wrap(_key())
    with pytest.raises(CannotOpen):
        vault.unwrap(name, wrapped, "conversation:other")


def test_without_any_key_nothing_private_begins(keys):
    keys.clear()
    vault.configure(lambda: "")
    with pytest.raises(CannotOpen):
        vault.wrap(_key())
