"""What each activity is, and the words that a member agrees to. A consent keeps its words."""

from flask_babel import lazy_gettext as _l

from portal.consents.models import Activity

NAMES = {
    Activity.CALL: _l("Calls"),
    Activity.QUOTE: _l("A quote"),
    Activity.LOGO: _l("The logo"),
    Activity.CASE_STUDY: _l("A written story"),
    Activity.SPEAKING: _l("Speaking"),
    Activity.PRESS: _l("Press"),
    Activity.ANALYSTS: _l("Analysts"),
}
# In the vendor's name, as the member reads it. English on purpose: it is stored as it was shown.
WORDS = {
    Activity.CALL: (
        "{vendor} may ask me for a call with somebody who is deciding, at most as often as my limit says. "
        "I can decline each one without a reason, and nobody from {vendor} is on the call."
    ),
    Activity.QUOTE: (
        "{vendor} may ask me for a sentence or two under my name and title. "
        "Nothing is published before I have read it as it will stand."
    ),
    Activity.LOGO: (
        "{vendor} may show my company's logo among its customers. "
        "This also needs the agreement of my company."
    ),
    Activity.CASE_STUDY: (
        "{vendor} may ask me to help with a written story of what we did, the difficult parts included. "
        "Nothing is published before I have read it, and my company has to agree as well."
    ),
    Activity.SPEAKING: (
        "{vendor} may ask me to speak at an event or a meeting of its customers. I choose what I say."
    ),
    Activity.PRESS: (
        "{vendor} may give my name to a journalist who writes about the subject, after asking me each time. "
        "My company has to agree as well."
    ),
    Activity.ANALYSTS: (
        "{vendor} may give my name to an analyst who compares products, after asking me each time."
    ),
}
NEEDS_COMPANY = frozenset({Activity.LOGO, Activity.CASE_STUDY, Activity.PRESS})
LONGEST_MONTHS = 12


def words_of(activity: Activity, vendor: str) -> str:
    """The text that is agreed to."""
    return WORDS[activity].format(vendor=vendor)
