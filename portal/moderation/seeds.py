"""The rules that a new site begins with; an admin changes them from the console."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Seed:
    number: int
    key: str
    title: str
    short: str
    flag_label: str
    text: str
    severity: int
    templates: tuple[str, ...]


RULES = (
    Seed(
        1,
        "off_topic",
        "Stay on the subject",
        "off topic",
        "It does not belong here",
        "Write where people look for it: on the board and in the thread that it is about. A new subject "
        "gets a thread of its own. Most posts that stray are *moved*, not removed.",
        1,
        (
            "It is about another subject than this thread. Start a thread of its own; it is welcome there.",
            "The same text already stands in another thread. One place is enough.",
        ),
    ),
    Seed(
        2,
        "hostile",
        "Criticise things, not people",
        "hostile",
        "It is hostile",
        "Products, prices, decisions, releases, support and the vendor's management may be criticised as "
        "hard as the facts allow. People may not be insulted, threatened, mocked for not knowing, or "
        "reduced to where they come from or what they are.",
        2,
        (
            "It attacks a person. The criticism of the matter in it is welcome without that.",
            "It belittles somebody for asking. Knowing the answer is no licence to belittle.",
        ),
    ),
    Seed(
        3,
        "identity",
        "Say who you are",
        "false identity",
        "It hides who is speaking",
        "One person, one account, under your own name and for your own employer. Whoever works for the "
        "vendor, a competitor or a reseller says so. An employee of the vendor who poses as a prospect or "
        "a customer breaks this rule, whatever the intention.",
        2,
        (
            "You write for a company that you do not name, about a product that it sells.",
            "A second account of the same person took part in this thread.",
        ),
    ),
    Seed(
        4,
        "personal_data",
        "No personal data of others",
        "personal data",
        "It names people without their leave",
        "No names, numbers, addresses, working hours or pictures of people who have not agreed to stand "
        "here. That holds for colleagues, for the staff of partners, and for employees of the vendor who "
        "are not answering in public themselves. Say what happened, not who did it.",
        3,
        (
            "It gave the name and number of a person who is not here. The advice in it is welcome back "
            "without them.",
            "It names an employee who cannot answer for themselves here. Describe what happened instead.",
        ),
    ),
    Seed(
        5,
        "confidential",
        "Keep what is confidential",
        "confidential",
        "It gives away something confidential",
        "No passwords, keys or live access. No contract of your own word for word where it says that it "
        "is confidential, and nothing that somebody told you in confidence. What you pay, what you got "
        "for it and what you think of it is yours to tell.",
        3,
        (
            "It quotes a clause of an individual contract word for word. Describe it in your own words "
            "and it can stay.",
            "It contains a key or a password. Change it at once; the post is welcome back without it.",
        ),
    ),
    Seed(
        6,
        "advertising",
        "Sell nothing here",
        "selling",
        "It sells something",
        "No offers, price lists, recruiting or lead collecting, by the vendor's staff neither. "
        "Recommending what you use yourself is no advertising; say it when you earn from it.",
        1,
        (
            "An offer of paid services. Say what you would advise; who wants to hire you can ask.",
            "It recommends a product of your own employer without saying so.",
        ),
    ),
    Seed(
        7,
        "spam",
        "No spam, nothing made up",
        "spam",
        "It is spam or made up",
        "No text sent to many places, no links for the sake of links, no bought or arranged votes, and no "
        "advice that was generated and not tried. An honest mistake is no breach.",
        2,
        (
            "Links to a shop and nothing that answers the thread.",
            "It recommends settings that do not exist, and somebody might try them.",
        ),
    ),
)
