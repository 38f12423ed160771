"""The demo’s candidates in every stage, what they agreed to, and notes: made through the services."""

from datetime import datetime, timedelta

from sqlalchemy import select

from portal.advocacy.models import Stage
from portal.advocacy.queries.routes import routes
from portal.advocacy.services import candidates, engagements, notes
from portal.consents import services as consents
from portal.consents.models import Activity, CompanyConsent
from portal.demo.dates import days_ago
from portal.discussions.queries.deeds import deeds_of
from portal.kernel import clock
from portal.kernel.access import Viewer
from portal.kernel.db import db
from portal.members.models import Company
from portal.members.queries import viewer_of

RUTH, MARIJKE = "ruth-adeyemi", "marijke-brouwer"
CALL, QUOTE, LOGO, STORY = Activity.CALL, Activity.QUOTE, Activity.LOGO, Activity.CASE_STUDY
SPEAKING, PRESS, ANALYSTS = Activity.SPEAKING, Activity.PRESS, Activity.ANALYSTS

NOTES = (
    ("tomaszw", RUTH, 10, "Prefers mail to calls before noon. Knows lanes better than our documentation."),
    ("tomaszw", MARIJKE, 140, "Sent us his lane set-up for the manual without being asked twice."),
    ("olumide", RUTH, 31, "His team is two people since the summer. Ask for one thing at a time."),
    ("hanneke-vos", MARIJKE, 60, "Will say plainly what the move cost them. That is why people believe her."),
    (
        "siobhan",
        RUTH,
        3,
        "Three of her answers this month were about failover. Hospitals ask for exactly that.",
    ),
    ("petra-novakova", RUTH, 40, "Certificate season until January. Leave her alone until then."),
)
# who, days ago, why: an eye is kept on them
SPOTTED = (("siobhan", 3), ("olena-km", 12), ("agnieszka-mroz", 30))
# whom, by whom, days ago, the note; those of members and account owners wait for a moderator
NOMINATED = (
    (
        "mhaugland",
        "petra-novakova",
        1.1,
        "She rebuilt our mapping with me in an evening. I would have paid for that.",
    ),
    (
        "piotr-zielinski",
        "piotr-zielinski",
        2.2,
        "I am happy to talk about the mainframe side. Nobody else here seems to have one.",
    ),
    (
        "torill-bakken",
        "gareth-pryce",
        4.5,
        "Three prospects in retail asked who has onboarded 300 suppliers. She has.",
    ),
)
# who, asked how many days ago (None: has answered), what, what they agreed to, the words
ASKED = (
    (
        "halvard-eide",
        6,
        (CALL, SPEAKING),
        "Halvard, would you be open to a 20-minute call with a shipping company that is where you "
        "were two years ago? And would you tell the story of the port strike at the autumn meeting?",
    ),
    (
        "dana-kowalski",
        1,
        (QUOTE, STORY, SPEAKING),
        "Dana, people keep asking how you run sixty carriers with a small team. Would you put it in"
        " two sentences we may quote, or tell it at greater length?",
    ),
)
# who, days since asked, since answered, asked for, agreed to, the words
AGREED = (
    (
        "katarzyna-lis",
        8,
        0.12,
        (CALL, QUOTE, SPEAKING, PRESS),
        (CALL, SPEAKING),
        "Katarzyna, would you talk to somebody who is about to leave Brokerline, as you did? The "
        "rest of the list is only in case you like it.",
    ),
    (
        "fergus-mackay",
        20,
        16,
        (CALL, QUOTE),
        (CALL,),
        "Fergus, a carrier in Ireland wants to know what your first month was really like. Would "
        "you take one call?",
    ),
    (
        "olumide",
        360,
        356,
        (CALL, QUOTE),
        (QUOTE,),
        "Olumide, may we quote your sentence about the night the meters stopped?",
    ),
    (
        "hanneke-vos",
        220,
        219,
        (CALL, SPEAKING, STORY),
        (CALL, SPEAKING),
        "Hanneke, would you take a call now and then with somebody who is deciding?",
    ),
    (
        "lucia-ferrer",
        130,
        127,
        (CALL, STORY),
        (CALL, STORY),
        "Lucía, would you tell how a workshop of ninety people does this without an IT department?",
    ),
)
ACTIVE = ("olumide", "hanneke-vos", "lucia-ferrer")
DECLINED = (
    "joost-terpstra",
    70,
    (PRESS,),
    "Joost, a journalist writes about customs data. Would you talk to her?",
)
RETIRED = ("ansel-grube", 150, "Delta Paper moved to another product in June, and he changed jobs.")
RESTING = ("petra-novakova", 9, 55, "Certificate season; she asked for quiet until January.")
# Given by themselves, asked by nobody: who, what, how many days ago; and what was taken back or given anew.
OFFERED = (
    ("dana-kowalski", (CALL,), 150),
    ("olumide", (CALL,), 150),
    (RESTING[0], (CALL,), 150),
    ("lucia-ferrer", (LOGO, PRESS), 90),
    ("olumide", (ANALYSTS,), 60),
    ("dana-kowalski", (CALL,), 12),
)
TAKEN_BACK = ("hanneke-vos", SPEAKING, 35)
NOT_ASKED = (
    "mathieu-gagnon",
    16,
    (STORY,),
    "Mathieu, would you tell how you size the lanes before a sale weekend, at the length it deserves?",
    14,
)
OF_COMPANIES = (
    ("vistula-glass", LOGO, "K. Lis, framework contract, section 9", 100),
    ("brightwater", STORY, "Head of communications, by mail", 40),
    ("castellan-foods", QUOTE, "B. de Wit, by mail", 75),
    ("eide-shipping", CALL, "H. Eide, in the yearly review", 200),
    ("talleres-ebro", SPEAKING, "Managing director, by telephone and letter", 30),
    ("vos-zonen", PRESS, "H. Vos, for the trade press alone", 55),
    ("brightwater", LOGO, "Head of communications, by mail", 357),
    ("castellan-foods", ANALYSTS, "Legal department, contract of 2024, annex 3", 120),
)
ENDED = ("eide-shipping", CALL, 20)

# who, on which day (days ago), what, where and for whom; written down two days later
ENGAGED = (
    ("olumide", 250, CALL, "With a water utility in Leeds, about going live without a test system."),
    ("olumide", 190, QUOTE, "For the page about outages: the night the meters stopped."),
    ("olumide", 41, ANALYSTS, "An hour with an analyst who compares integration platforms."),
    ("hanneke-vos", 180, CALL, "With a builders’ merchant near Lyon, about the first three months."),
    ("hanneke-vos", 50, SPEAKING, "Customers’ meeting in Utrecht, 60 people: what the move cost them."),
    ("lucia-ferrer", 75, STORY, "A workshop of ninety people without an IT department, six pages."),
    ("lucia-ferrer", 60, LOGO, "On our page for small manufacturers."),
    ("lucia-ferrer", 33, PRESS, "Two columns in a paper for joiners, after she had read them."),
    ("dana-kowalski", 64, CALL, "With a food wholesaler in Antwerp, about sixty carriers and few people."),
    ("fergus-mackay", 12, CALL, "With a carrier in Cork, about the first month."),
)
# taken back: who, when (days ago), what, the words, how many days later and why
NOT_HAPPENED = (
    "lucia-ferrer",
    47,
    CALL,
    "With a joinery in Zaragoza that is deciding.",
    5,
    "Moved to January by the other side; written down when it was planned.",
)


def add(people: dict[str, int], now: datetime) -> None:
    """Everything about who could be asked, with times counted back from now."""
    ruth = viewer_of(people[RUTH])
    for username, by, days, text in NOTES:
        with clock.frozen(days_ago(now, days)):
            notes.add_note(viewer_of(people[by]), people[username], text)
    for username, days in SPOTTED:
        with clock.frozen(days_ago(now, days)):
            candidates.spot(ruth, people[username])
    for username, by, ago, note in NOMINATED:
        with clock.frozen(days_ago(now, ago)):
            candidates.nominate(viewer_of(people[by]), people[username], note)
    for username, asked, answered, wanted, agreed, words in AGREED:
        _ask(ruth, people[username], days_ago(now, asked), wanted, words, agreed, answered, now)
    for username, activities, days in OFFERED:
        with clock.frozen(days_ago(now, days)):
            consents.give(viewer_of(people[username]), activities, months=12)
    username, activity, days = TAKEN_BACK
    with clock.frozen(days_ago(now, days)):
        consents.withdraw(viewer_of(people[username]), activity)
    for number, username in enumerate(ACTIVE):
        with clock.frozen(days_ago(now, 100 - 30 * number)):
            candidates.move(ruth, people[username], Stage.ACTIVE)
    for username, days, wanted, words in ASKED:
        _ask(ruth, people[username], days_ago(now, days), wanted, words, None, 0, now)
    with clock.frozen(days_ago(now, 4)):
        candidates.see(viewer_of(people["halvard-eide"]))
    who, ago, of_what, said = DECLINED
    _ask(ruth, people[who], days_ago(now, ago), of_what, said, (), ago - 2, now)
    username, days, of_them, words, taken_back = NOT_ASKED
    _ask(ruth, people[username], days_ago(now, days), of_them, words, None, 0, now)
    with clock.frozen(days_ago(now, taken_back)):
        candidates.withdraw_asking(ruth, people[username])
    username, days, reason = RETIRED
    with clock.frozen(days_ago(now, days)):
        candidates.spot(ruth, people[username])
        candidates.move(ruth, people[username], Stage.RETIRED, reason=reason)
    username, days, until, reason = RESTING
    with clock.frozen(days_ago(now, days)):
        candidates.spot(ruth, people[username])
        rests = (now + timedelta(days=until)).date()
        candidates.move(ruth, people[username], Stage.RESTING, reason=reason, until=rests)
    _engagements(ruth, people, now)
    _companies(ruth, now)


def _engagements(ruth: Viewer, people: dict[str, int], now: datetime) -> None:
    for username, days, activity, words in ENGAGED:
        day = days_ago(now, days).date()
        with clock.frozen(days_ago(now, days - 2)):
            engagements.record(ruth, people[username], activity, day, words)
    username, days, activity, words, later, why = NOT_HAPPENED
    with clock.frozen(days_ago(now, days)):
        row = engagements.record(ruth, people[username], activity, clock.now().date(), words)
    with clock.frozen(days_ago(now, days - later)):
        engagements.withdraw(ruth, row.id, why)


def _ask(
    ruth: Viewer,
    member_id: int,
    at: datetime,
    wanted: tuple[Activity, ...],
    words: str,
    agreed: tuple[Activity, ...] | None,
    answered: float,
    now: datetime,
) -> None:
    """Nominated with evidence, asked a day later, and answered, if so, that many days ago."""
    with clock.frozen(at - timedelta(days=1)):
        found = [deed for deed in deeds_of(ruth, member_id, 30) if deed.at < clock.now()]
        note = "Answers others at length and says what did not work, too."
        candidates.nominate(ruth, member_id, note, post_ids=[deed.post_id for deed in found[:2]])
    with clock.frozen(at):
        unmet = routes([member_id])[member_id].unmet
        reason = "Offered it themselves at the customers’ meeting." if unmet else ""
        asked = candidates.ask(ruth, member_id, words, wanted, reason=reason)
    if agreed is not None:
        with clock.frozen(days_ago(now, answered)):
            candidates.see(viewer_of(member_id))
            candidates.answer(viewer_of(member_id), asked.id, agreed)


def _companies(ruth: Viewer, now: datetime) -> None:
    ids = {row.slug: row.id for row in db.session.execute(select(Company.slug, Company.id))}
    for slug, activity, given_by, days in OF_COMPANIES:
        with clock.frozen(days_ago(now, days)):
            given = clock.now().date()
            consents.record_company_consent(
                ruth,
                ids[slug],
                activity,
                given_by=given_by,
                given_on=given,
                expires_on=given + timedelta(days=365),
            )
    slug, activity, days = ENDED
    given_once = select(CompanyConsent.id).where(
        CompanyConsent.company_id == ids[slug], CompanyConsent.activity == activity
    )
    with clock.frozen(days_ago(now, days)):
        consents.end_company_consent(ruth, ids[slug], db.session.execute(given_once).scalar_one())
