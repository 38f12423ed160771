"""What a new password must be."""

from flask_babel import gettext as _

from portal.kernel.errors import Invalid

SHORTEST, LONGEST = 10, 200

# The ones that are tried first, ten characters and more; shorter ones are refused anyway.
_FIRST_GUESSES = """
1234567890 0123456789 0987654321 1234567891 12345678910 123456789a 1234567890a qwertyuiop qwerty12345
qwerty123456 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx3edc q1w2e3r4t5 asdfghjkl1 zxcvbnm123 password12 password123
password1234 password12345 password123456 passwordpassword passw0rd123 p@ssword123 p@ssw0rd123 iloveyou12
iloveyou123 letmein123 letmein1234 welcome123 welcome1234 welcome2024 welcome2025 welcome2026 changeme123
administrator admin12345 admin123456 football123 baseball123 superman123 sunshine123 princess123
dragon12345 monkey12345 abcdefghij abcdefghijk abcd123456 abc1234567 abcde12345 aaaaaaaaaa 1111111111
0000000000 1122334455 1212121212 123123123123 123321123321 9876543210 147258369 1472583690 correcthorse
correcthorsebatterystaple trustno1trustno1 summer2024 summer2025 summer2026 winter2024 winter2025
winter2026 spring2025 spring2026 autumn2025
"""
_COMMON = frozenset(_FIRST_GUESSES.split())


def check_new_password(password: str, *, email: str = "", name: str = "", field: str = "password") -> None:
    """Raise Invalid for a password that is too short, too long, or among the first to be guessed."""
    if len(password) < SHORTEST:
        raise Invalid(
            _("Use at least %(least)s characters; a few words in a row are best.", least=SHORTEST), field
        )
    if len(password) > LONGEST:
        raise Invalid(_("Use at most %(most)s characters.", most=LONGEST), field)
    plain = password.lower().strip()
    own = {email.lower(), email.split("@")[0].lower(), name.lower(), name.lower().replace(" ", "")}
    if plain in _COMMON or plain in own or len(set(plain)) < 4:
        raise Invalid(_("This password is among the first that would be guessed. Choose another."), field)
