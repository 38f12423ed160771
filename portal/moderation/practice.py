"""Six cases to practise on, for a moderator's first day. Nobody in them exists, nothing is carried out."""

from dataclasses import dataclass
from typing import TypeAlias

from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from portal.moderation.models import CaseKind, MemberMeasure, PostMeasure

Words: TypeAlias = str | LazyString  # "" for none


@dataclass(frozen=True)
class PracticeCase:
    """A made-up case and how it is usually decided.

    `rules`: keys of the rules that can be cited; empty when nothing was broken. `flags`: (key of the rule or
    "", what the flagger wrote). `posts`, `members`: the measures that moderators of good sense would take.
    """

    key: str
    kind: CaseKind
    title: Words
    board: Words
    author: Words
    before: Words
    text: Words
    flags: tuple[tuple[str, Words], ...]
    reasons: tuple[Words, ...]
    posts: tuple[PostMeasure, ...]
    members: tuple[MemberMeasure, ...]
    rules: tuple[str, ...]
    usually: Words
    why: Words
    reason: Words


CASES = (
    PracticeCase(
        "harsh",
        CaseKind.FLAGS,
        _l("Two years in: would I buy it again?"),
        _l("War stories"),
        _l("Customer for two years, 41 posts, nothing ever decided against them"),
        "",
        _l(
            "No. The first year was demos that never became features. The upgrade in March cost us two "
            "weekends, and the release note that would have saved them came a week later. Support is polite "
            "and slow. If you are choosing now, ask how many of last year's promises have shipped, and "
            "look at their face while they count."
        ),
        (("hostile", _l("This damages the product and is not constructive.")),),
        (),
        (PostMeasure.NONE,),
        (MemberMeasure.NONE,),
        (),
        _l("Dismiss: the post stays"),
        _l(
            "It is hard on the product, the release and the support, and on no person. Being critical is "
            "never a reason to remove. A colleague from the vendor may answer it, in the open."
        ),
        "",
    ),
    PracticeCase(
        "phone",
        CaseKind.FLAGS,
        _l("Carrier changed its certificate, deliveries stand still"),
        _l("Operations"),
        _l("Customer for four years, 120 posts, 19 accepted answers"),
        _l("Has anybody reached somebody there who understands certificates?"),
        _l(
            "Yes. Call Henrik Solberg in their night shift, 555 0142, he is alone from ten to six and does "
            "it in five minutes. Ask for the intermediate certificate too, that's what they always forget."
        ),
        (("personal_data", ""),),
        (),
        (PostMeasure.HIDE,),
        (MemberMeasure.NONE,),
        ("personal_data",),
        _l("Remove the post, do nothing to the author"),
        _l(
            "A name, a number and the working hours of somebody who is not here. The advice is sound and "
            "meant well: nothing happens to its author, and the reason says that it is welcome back without "
            "the name. Personal data is looked at within two hours, since it spreads."
        ),
        _l(
            "It gave the name, number and hours of a person who is not here. The advice on the intermediate "
            "certificate is welcome back without them."
        ),
    ),
    PracticeCase(
        "belittles",
        CaseKind.FLAGS,
        _l("Where do I see which mapping was used?"),
        _l("Integrations"),
        _l("Customer for six years, 300 posts, one warning for the same three months ago"),
        _l("Perhaps this is obvious, it is my second week. Where do I see which mapping a message took?"),
        _l(
            "Open the message, third tab. If that is too hard for you, maybe your company should have hired "
            "somebody who can read."
        ),
        (("hostile", _l("She is new and asked politely.")), ("hostile", "")),
        (),
        (PostMeasure.HIDE,),
        (MemberMeasure.WARN, MemberMeasure.SUSPEND),
        ("hostile",),
        _l("Remove the post and warn the author, or let the author only read for some days"),
        _l(
            "The first sentence answers; the second belittles somebody for asking. It happened before, so a "
            "removal alone would be too little. The answer can come back without the insult."
        ),
        _l("It belittles somebody for asking. Where the mapping stands is welcome back without that."),
    ),
    PracticeCase(
        "two-hats",
        CaseKind.FLAGS,
        _l("Which archive do you use beside it?"),
        _l("Operations"),
        _l("Customer, joined two weeks ago from a consultancy, 6 posts, four of them name the same product"),
        _l("We have to keep messages for ten years. What do you use?"),
        _l(
            "We compared five and nothing comes near Vaultline. Ask for Marta there, she gives a good price "
            "to people from here."
        ),
        (("identity", _l("His profile elsewhere says he is a reseller of Vaultline.")), ("advertising", "")),
        (),
        (PostMeasure.HIDE, PostMeasure.NONE),
        (MemberMeasure.WARN,),
        ("identity", "advertising"),
        _l("Remove the post and warn the author"),
        _l(
            "Recommending what one uses is welcome. Earning from it without saying so is not, and a price "
            "through a named person is an offer. The warning asks for the one thing that is missing: who "
            "is speaking."
        ),
        _l(
            "It recommends a product without saying that you earn from it. Say it, and leave the offer out; "
            "your comparison of five is welcome."
        ),
    ),
    PracticeCase(
        "newcomer",
        CaseKind.HELD,
        _l("Is the connector for customs really that bad?"),
        _l("Before you buy"),
        _l("Prospect, joined an hour ago, this is the first post"),
        "",
        _l(
            "I read three reviews that call the connector for customs unusable, here they are: the one of "
            "the port authority, the one on the trade portal and a talk from May. Before I sign for five "
            "years: what works, what does not, and what did you do instead?"
        ),
        (),
        (_l("three links"), _l("written within an hour of joining")),
        (PostMeasure.RELEASE,),
        (MemberMeasure.NONE,),
        (),
        _l("Publish it"),
        _l(
            "A program held it for its links, which is all that a program can see. They are sources for a "
            "real question. That the question hurts is no reason to keep it back, and a prospect who waits "
            "a day for a moderator asks elsewhere."
        ),
        "",
    ),
    PracticeCase(
        "pile-on",
        CaseKind.FLAGS,
        _l("What we pay after the renewal, line by line"),
        _l("Pricing and contracts"),
        _l("Customer for three years, 18 posts, nothing ever decided against them"),
        "",
        _l(
            "Base fee up eleven per cent, the second environment is charged now, support tier unchanged. I "
            "asked twice what we get for it and was sent the same slide. We signed for one year instead of "
            "three."
        ),
        (
            ("confidential", _l("Prices are confidential.")),
            ("confidential", _l("Prices have to go.")),
            ("confidential", _l("Against the contract, surely.")),
            ("confidential", ""),
            ("confidential", ""),
        ),
        (),
        (PostMeasure.NONE,),
        (MemberMeasure.NONE,),
        (),
        _l("Dismiss: the post stays"),
        _l(
            "Five flags within ten minutes, all from one company: together they weigh as one. What somebody "
            "pays is theirs to tell, by the words of the rule; no contract is quoted and nobody is named. "
            "Many flags say how soon to look and never what to find."
        ),
        "",
    ),
)


def find_case(key: str) -> PracticeCase | None:
    """The practice case of this key."""
    return next((case for case in CASES if case.key == key), None)
