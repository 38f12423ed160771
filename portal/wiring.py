"""The composition root: blueprints, listeners, registries, jobs. The one file that imports everything."""

from pathlib import Path
from typing import Any

from flask import Flask, request

from portal import worker
from portal.advocacy import keys as advocacy_keys
from portal.advocacy import listeners as advocacy_listeners
from portal.advocacy import personal as advocacy_personal
from portal.advocacy import telling as advocacy_telling
from portal.advocacy import views as advocacy_views
from portal.advocacy.queries import patterns, standing
from portal.advocacy.services import remembering, scoping, weighing
from portal.advocacy.services import sums as advocacy_sums
from portal.asks import listeners as asks_listeners
from portal.asks import personal as asks_personal
from portal.asks import searchable as asks_searchable
from portal.asks import telling as asks_telling
from portal.asks.queries import lists as asks_lists
from portal.asks.services import inviting as asks_inviting
from portal.asks.services import keeping as asks_keeping
from portal.asks.services import stages as asks_stages
from portal.asks.services import waves as asks_waves
from portal.asks.views import ask_page, asking, connecting, invites
from portal.asks.views import requests as ask_requests
from portal.consents import events as consented
from portal.consents import personal as consents_personal
from portal.console import ask_settings as console_ask_settings
from portal.console import asks as console_asks
from portal.console import (
    audit_heads,
    candidates,
    community_health,
    company_consents,
    engagements,
    evidence,
    explorer,
    gladly,
    holds,
    mornings,
    programme,
    rising,
    today,
)
from portal.console import log as console_log
from portal.console import members_list as console_members
from portal.console import people as console_people
from portal.console import practice as console_practice
from portal.console import queue as console_queue
from portal.console import relations as console_relations
from portal.console import rota as console_rota
from portal.console import rules as console_rules
from portal.console import settings as console_settings
from portal.conversations import events as conversed
from portal.conversations import jobs as conversations_jobs
from portal.conversations import listeners as conversations_listeners
from portal.conversations import personal as conversations_personal
from portal.conversations import telling as conversations_telling
from portal.conversations import views as conversations_views
from portal.conversations.models import Conversation
from portal.conversations.queries.listing import waiting_count as conversations_waiting
from portal.conversations.services import messages as conversations_messages
from portal.discussions import (
    digest,
    house_rules,
    impartiality,
    moved_away,
    reading_state,
    screening,
    telling,
)
from portal.discussions import events as discussed
from portal.discussions import listeners as discussions_listeners
from portal.discussions import personal as discussions_personal
from portal.discussions.queries import boards as board_queries
from portal.discussions.queries import vitals
from portal.discussions.services import drafts as drafts_services
from portal.discussions.services import rerendering
from portal.discussions.services import uploads as uploads_services
from portal.discussions.views import (
    composing,
    drafts,
    editing,
    feeds,
    keeping,
    mentions,
    reacting,
    reading,
    searching,
    tools,
    uploads,
)
from portal.front import health, home, own_consents, own_data, recognition, theme, transparency
from portal.front import people as people_pages
from portal.kernel import (
    access,
    events,
    form_keys,
    heartbeat,
    jobs,
    mail,
    metrics,
    nav,
    personal,
    preserving,
    renewing,
    site,
    vault,
)
from portal.kernel.access import Permission
from portal.kernel.db import db
from portal.matching import jobs as matching_jobs
from portal.matching import personal as matching_personal
from portal.matching import views as matching_views
from portal.matching.services import reserving
from portal.members import events as people
from portal.members import imported
from portal.members import personal as members_personal
from portal.members import views as members_views
from portal.members.queries import console as console_queries
from portal.members.queries.viewers import count_with_viewer
from portal.members.services import credentials, erasing, joining, kept_forms, sessions
from portal.moderation import events as decided
from portal.moderation import forms as moderation_forms
from portal.moderation import listeners as moderation_listeners
from portal.moderation import personal as moderation_personal
from portal.moderation import telling as moderation_telling
from portal.moderation import views as moderation_views
from portal.moderation.foretelling import of_tool
from portal.moderation.models import CaseKey
from portal.moderation.queries import queue as moderation_queue
from portal.moderation.queries.moved import moved_out_of_sight, was_moved_out_of_sight
from portal.moderation.queries.parties import reason_against_tool
from portal.moderation.services import evidence as moderation_evidence
from portal.moderation.services.screening import said, screen
from portal.moderation.services.tooling import rules_to_cite, words_taken_out_up_to
from portal.notifications import kinds
from portal.notifications import listeners as notifications_listeners
from portal.notifications import personal as notifications_personal
from portal.notifications import views as notifications_views
from portal.notifications.services import mailing
from portal.notifications.services.notifying import SEND_JOB
from portal.relations import personal as relations_personal
from portal.relations import services as relations_services
from portal.relations import telling as relations_telling
from portal.relations.services import reminding as relations_reminding
from portal.search import listeners as search_listeners
from portal.search import services as search
from portal.search import sources
from portal.search.engines.postgres_engine import PostgresEngine
from portal.search.engines.whoosh_engine import WhooshEngine
from portal.settings import Settings
from portal.upkeep import erasures

MIGRATIONS = Path(__file__).parent / "migrations"

# Every blueprint of the product, by package.
BLUEPRINTS: list[Any] = [
    *advocacy_views.BLUEPRINTS,
    asking.blueprint,
    ask_page.blueprint,
    ask_requests.blueprint,
    connecting.blueprint,
    invites.blueprint,
    composing.blueprint,
    drafts.blueprint,
    editing.blueprint,
    health.blueprint,
    home.blueprint,
    reading.blueprint,
    moderation_views.blueprint,
    conversations_views.blueprint,
    transparency.blueprint,
    console_asks.blueprint,
    console_ask_settings.blueprint,
    console_queue.blueprint,
    today.blueprint,
    rising.blueprint,
    candidates.blueprint,
    evidence.blueprint,
    engagements.blueprint,
    company_consents.blueprint,
    community_health.blueprint,
    programme.blueprint,
    holds.blueprint,
    console_relations.blueprint,
    own_consents.blueprint,
    recognition.blueprint,
    console_log.blueprint,
    console_rota.blueprint,
    console_practice.blueprint,
    console_rules.blueprint,
    console_members.blueprint,
    console_people.blueprint,
    console_settings.blueprint,
    theme.blueprint,
    feeds.blueprint,
    members_views.blueprint,
    matching_views.blueprint,
    searching.blueprint,
    keeping.blueprint,
    mentions.blueprint,
    people_pages.blueprint,
    own_data.blueprint,
    notifications_views.blueprint,
    reacting.blueprint,
    tools.blueprint,
    uploads.blueprint,
]

# Writes that come without a CSRF token, each with its reason.
WITHOUT_TOKEN: list[Any] = [
    notifications_views.unsubscribe,  # pressed in a mail program (RFC 8058); the signed address is the token
]


def wire(app: Flask, settings: Settings) -> None:
    """Put the packages together. Safe to call for several applications in one process."""
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    metrics.install(app)
    vault.configure(lambda: settings.conversation_keys)
    vault.register(CaseKey, Conversation)
    advocacy_keys.use(settings.SECRET_KEY)
    imported.use(settings.SECRET_KEY, *settings.FORMER_SECRET_KEYS)
    _subscribe()
    _register()
    _register_jobs(settings)
    app.extensions["huey"] = worker.install(app, settings)
    _install_templates(app, settings)
    reading_state.reset()
    renewing.renew_with(None)
    if settings.SITE_ENV != "test":  # tests write what was gathered themselves, and wait for each figure
        reading_state.flush_with(app.app_context)
        renewing.renew_with(app.app_context)


def _subscribe() -> None:
    """Who reacts to what, in order (portal.kernel.events)."""
    subscribe = events.subscribe
    subscribe(people.MailWanted, notifications_listeners.queue_account_mail)
    subscribe(people.MemberErased, erasures.note)
    subscribe(people.MemberChanged, discussions_listeners.refresh_lines_of_member)
    subscribe(people.CompanyChanged, discussions_listeners.refresh_lines_of_company)
    subscribe(discussed.PostPublished, discussions_listeners.tell_of_post)
    subscribe(discussed.PostEdited, discussions_listeners.tell_of_edit)
    subscribe(discussed.AnswerAccepted, discussions_listeners.tell_of_acceptance)
    for about_post in (
        discussed.PostPublished,
        discussed.PostEdited,
        discussed.PostVoted,
        discussed.VoteWithdrawn,
        discussed.AnswerAccepted,
        discussed.AcceptanceWithdrawn,
    ):
        subscribe(about_post, search_listeners.queue_post)
    subscribe(decided.CaseDecided, conversations_listeners.note_decision)
    subscribe(decided.DecisionUndone, conversations_listeners.note_undoing)
    subscribe(discussed.PostHeld, moderation_listeners.open_case_of_held_post)
    subscribe(discussed.ThreadChanged, moderation_listeners.record_change_of_thread)
    subscribe(discussed.PostEdited, moderation_listeners.record_edit_by_other)
    subscribe(discussed.ToolUsed, moderation_listeners.note_tool)
    subscribe(discussed.PostRemoved, moderation_listeners.withdraw_case_of_deleted_post)
    subscribe(discussed.PostPublished, asks_listeners.look_at_post)
    subscribe(discussed.PostRemoved, asks_listeners.look_at_removal)
    subscribe(discussed.PostRestored, asks_listeners.look_at_return)
    subscribe(discussed.ThreadChanged, asks_listeners.look_at_thread)
    subscribe(discussed.AnswerAccepted, asks_listeners.look_at_acceptance)
    subscribe(discussed.AcceptanceWithdrawn, asks_listeners.look_at_withdrawn_acceptance)
    subscribe(conversed.ConversationRequested, asks_listeners.leave_out_whom_one_asked)
    subscribe(conversed.ConversationReleased, asks_listeners.propose_the_next)
    subscribe(conversed.ConversationHeld, asks_listeners.note_conversation)
    subscribe(conversed.ConversationMissed, asks_listeners.note_missed)
    for about_vote in (discussed.PostVoted, discussed.VoteWithdrawn):
        subscribe(about_vote, advocacy_listeners.hear_of_vote)
    for about_acceptance in (discussed.AnswerAccepted, discussed.AcceptanceWithdrawn):
        subscribe(about_acceptance, advocacy_listeners.hear_of_acceptance)
    for coming_or_going in (discussed.PostPublished, discussed.PostRemoved, discussed.PostRestored):
        subscribe(coming_or_going, advocacy_listeners.hear_of_post)
    subscribe(discussed.ThreadChanged, advocacy_listeners.hear_of_thread)
    subscribe(conversed.ConversationRated, advocacy_listeners.hear_of_rating)
    for about_case in (decided.CaseDecided, decided.DecisionUndone):
        subscribe(about_case, advocacy_listeners.hear_of_decision)
    subscribe(people.MemberChanged, advocacy_listeners.hear_of_member)
    subscribe(people.ProductsChanged, advocacy_listeners.hear_of_products)
    subscribe(consented.ConsentGiven, advocacy_listeners.hear_of_consent)
    subscribe(consented.ConsentWithdrawn, advocacy_listeners.hear_of_withdrawal)
    # An opening that goes or comes takes the whole thread with it.
    for about_thread in (discussed.PostRemoved, discussed.PostRestored, discussed.ThreadChanged):
        subscribe(about_thread, search_listeners.queue_thread)
    for elsewhere in (discussed.PostRemoved, discussed.ThreadChanged):
        subscribe(elsewhere, discussions_listeners.freshen_kept_pages)


def _register() -> None:
    """Fill the registries: search.sources, notifications.kinds, discussions.screening, nav, personal."""
    kinds.register(*telling.KINDS, digest.KIND, *moderation_telling.KINDS)
    kinds.register(*conversations_telling.KINDS, *asks_telling.KINDS)
    kinds.register(*relations_telling.KINDS)
    kinds.register(*advocacy_telling.KINDS, gladly.KIND, mornings.KIND)
    screening.register(screen, said)
    impartiality.register(reason_against_tool)
    house_rules.register(rules_to_cite)
    house_rules.register_foretold(of_tool)
    house_rules.register_taken_out(words_taken_out_up_to)
    moved_away.register(moved_out_of_sight, was_moved_out_of_sight)
    sources.register(asks_searchable.SOURCE)
    count_with_viewer("asks", asks_lists.open_asks_count)
    count_with_viewer("requests", asks_lists.requests_waiting)
    count_with_viewer("conversations", conversations_waiting)
    personal.register(
        *members_personal.CLASSES,
        *notifications_personal.CLASSES,
        *discussions_personal.CLASSES,
        *moderation_personal.CLASSES,
        *matching_personal.CLASSES,
        *conversations_personal.CLASSES,
        *asks_personal.CLASSES,
        *advocacy_personal.CLASSES,
        *consents_personal.CLASSES,
        *relations_personal.CLASSES,
    )
    renewing.keep_ready(
        gladly.keep_ready, vitals.keep_ready, standing.keep_ready, explorer.keep_ready, patterns.keep_ready
    )
    nav.register(*_own_pages())
    nav.register(
        nav.Entry("Start a thread", "composing.new_thread", "pencil", "main", Permission.POST, order=20),
        nav.Entry("Write", "composing.new_thread", "pencil", "tab", Permission.POST, order=20),
        nav.Entry("Ask a customer", "asks.new", "question-circle", "main", order=5, shown=_asks_first),
        nav.Entry("Ask a customer", "asks.new", "question-circle", "main", order=25, shown=_asks_later),
        nav.Entry("Ask", "asks.new", "question-circle", "tab", order=12, shown=_asks),
        nav.Entry(
            "Your asks",
            "ask_page.index",
            "clock",
            "main",
            Permission.ASK,
            order=26,
            count=_open_asks,
            shown=_asks_first,
        ),
        nav.Entry(
            "What you were asked",
            "requests.index",
            "question-circle",
            "main",
            Permission.CONVERSE,
            order=27,
            count=_requests_waiting,
            shown=_is_asked,
        ),
        nav.Entry("Your asks", "ask_page.index", "clock", "account", Permission.ASK, order=26),
        nav.Entry("Invites", "invites.index", "person-plus", "account", Permission.INVITE, order=28),
        nav.Entry("Home", "front.home", "house", "main", order=10),
        nav.Entry("Home", "front.home", "house", "tab", order=10),
        nav.Entry(
            "Conversations",
            "conversations.index",
            "chat-square-text",
            "main",
            Permission.CONVERSE,
            order=30,
            count=_conversations_waiting,
        ),
        nav.Entry(
            "Conversations",
            "conversations.index",
            "chat-square-text",
            "tab",
            Permission.CONVERSE,
            order=30,
            count=_conversations_waiting,
        ),
        nav.Entry("Me", "members.me", "person", "tab", Permission.ACCOUNT, order=40),
        nav.Entry(
            "Console",
            "today.index",
            "",
            "main",
            Permission.MODERATE,
            order=70,
            count=moderation_queue.waiting_count,
        ),
        nav.Entry(
            "What you gave and received",
            "conversations.contributions",
            "chat-square-text",
            "account",
            Permission.CONVERSE,
            order=26,
        ),
        nav.Entry(
            "How your help counts", "score.show", "chat-square-text", "account", order=25, shown=_is_asked
        ),
        nav.Entry("Weights", "score_console.show_weights", "", "console", Permission.ADVOCACY, order=72),
        nav.Entry(
            "Contested entries", "score_console.show_contests", "", "console", Permission.ADVOCACY, order=74
        ),
        nav.Entry("Patterns", "score_console.show_patterns", "", "console", Permission.ADVOCACY, order=76),
        nav.Entry(
            "What you agreed to",
            "own_consents.index",
            "check2",
            "account",
            Permission.CONVERSE,
            order=27,
            shown=_is_asked,
        ),
        nav.Entry("Your drafts", "drafts.index", "pencil", "account", Permission.ACCOUNT, order=20),
        nav.Entry("Kept posts", "keeping.bookmarks", "bookmark", "account", Permission.ACCOUNT, order=22),
        nav.Entry("What you follow", "keeping.following", "bell", "account", Permission.ACCOUNT, order=24),
        nav.Entry("How it works and who reads what", "transparency.how_it_works", "", "foot", order=10),
        nav.Entry("Rules", "transparency.show_rules", "", "foot", order=20),
        nav.Entry("Transparency: log and numbers", "transparency.numbers", "", "foot", order=30),
        nav.Entry("Privacy", "transparency.privacy", "", "foot", order=40),
        nav.Entry("Who reads private conversations", "conversations.who_can_read", "", "foot", order=15),
        nav.Entry("Console", "today.index", "shield-check", "account", Permission.MODERATE, order=10),
        nav.Entry(
            "Queue",
            "queue.index",
            "",
            "console",
            Permission.MODERATE,
            order=10,
            count=moderation_queue.waiting_count,
        ),
        nav.Entry(
            "Members",
            "members_list.index",
            "",
            "console",
            Permission.CONFIRM_MEMBERS,
            order=40,
            count=_claims_waiting,
        ),
        nav.Entry(
            "Companies", "console_people.company_list", "", "console", Permission.CONFIRM_MEMBERS, order=50
        ),
        nav.Entry("Today", "today.index", "", "console", Permission.MODERATE, order=5),
        nav.Entry(
            "Customer companies",
            "relations.index",
            "",
            "console",
            Permission.RELATIONS,
            order=50,
            shown=_keeps_no_companies,
        ),
        nav.Entry("Holds", "holds.index", "", "console", Permission.RELATIONS, order=52),
        nav.Entry(
            "Console",
            "relations.index",
            "",
            "main",
            Permission.RELATIONS,
            order=70,
            shown=_keeps_no_companies,
        ),
        nav.Entry(
            "Console",
            "relations.index",
            "shield-check",
            "account",
            Permission.RELATIONS,
            order=10,
            shown=_keeps_no_companies,
        ),
        nav.Entry("Rising", "rising.index", "", "console", Permission.ADVOCACY, order=55),
        nav.Entry("Candidates", "candidates.index", "", "console", Permission.ADVOCACY, order=60),
        nav.Entry("Programme", "programme.index", "", "console", Permission.ADVOCACY, order=65),
        nav.Entry("Community health", "community_health.index", "", "console", Permission.ADVOCACY, order=70),
        nav.Entry("Settings", "console_settings.index", "", "console", Permission.ADMINISTER, order=95),
        nav.Entry("Rota", "rota.show", "", "console", Permission.MODERATE, order=70),
        nav.Entry("Practice", "practice.index", "", "console", Permission.MODERATE, order=75),
        nav.Entry("Log", "log.index", "", "console", Permission.MODERATE, order=80),
        nav.Entry("Rules", "rules.index", "", "console", Permission.ADMINISTER, order=90),
        nav.Entry(
            "What you want to hear", "notifications.settings", "bell", "account", Permission.ACCOUNT, order=40
        ),
    )


def _own_pages() -> list[nav.Entry]:
    """The pages of one's own settings."""
    pages = [
        ("Profile", "members.profile", "person"),
        ("Being asked", "matching.availability", "door-open"),
        ("Who sees what", "members.visibility", "eye-slash"),
        ("Notices", "notifications.settings", "bell"),
        ("Address and password", "members.account", "key"),
        ("Sessions", "members.open_sessions", "door-open"),
        ("Display", "members.display", "moon"),
        ("Your data", "own_data.index", "download"),
    ]
    directory = nav.Entry("People", "people.directory", "people", "main", Permission.READ, order=60)
    found = [
        nav.Entry(
            label,
            endpoint,
            icon,
            "settings",
            Permission.CONVERSE if endpoint == "matching.availability" else Permission.ACCOUNT,
            order=order,
        )
        for order, (label, endpoint, icon) in enumerate(pages)
    ]
    settings = nav.Entry("Settings", "members.profile", "gear", "account", Permission.ACCOUNT, order=30)
    return [directory, settings, *found]


def _asks_first(viewer: access.Viewer) -> bool:
    """Visitors and prospects come to ask."""
    return viewer.status in (access.Status.VISITOR, access.Status.PROSPECT)


def _asks_later(viewer: access.Viewer) -> bool:
    """Customers come to answer, and may ask too."""
    return viewer.may(Permission.ASK) and not _asks_first(viewer)


def _asks(viewer: access.Viewer) -> bool:
    return not viewer.is_staff


def _is_asked(viewer: access.Viewer) -> bool:
    return viewer.status in (access.Status.CUSTOMER, access.Status.FORMER)


def _keeps_no_companies(viewer: access.Viewer) -> bool:
    """Sales and service begin with the customers' companies; moderators have their own list of all."""
    return not viewer.may(Permission.CONFIRM_MEMBERS)


# Functions of the module: entries of a menu are told apart by equality.


def _open_asks(viewer: access.Viewer) -> int:
    return viewer.waiting.get("asks", 0)


def _requests_waiting(viewer: access.Viewer) -> int:
    return viewer.waiting.get("requests", 0)


def _conversations_waiting(viewer: access.Viewer) -> int:
    return viewer.waiting.get("conversations", 0)


def _claims_waiting(_viewer: access.Viewer) -> int:
    return console_queries.claims_waiting()


def _register_jobs(settings: Settings) -> None:
    """What the worker does, and how often."""
    sender = mailing.Sender(
        public_url=settings.PUBLIC_URL,
        mail_from=settings.mail_from,
        secret_key=settings.SECRET_KEY,
        transport=mail.transport(settings.MAIL_URL, settings.outbox_path),
    )
    jobs.register("heartbeat", lambda: heartbeat.beat("worker"), 60)
    jobs.register(SEND_JOB, lambda: mailing.send_due(sender), 60)
    jobs.register("make digests", digest.make_due, 1800)
    jobs.register(mornings.JOB, mornings.send_due, 600)
    search.use(WhooshEngine(settings.index_path) if settings.is_sqlite else PostgresEngine(lambda: db.engine))
    health.checks["search index"] = lambda: search.documents_indexed() >= 0
    jobs.register(search.JOB, search.drain, 60)
    jobs.register("forget old drafts", drafts_services.forget_old_drafts, 24 * 3600)
    jobs.register(
        "forget unused pictures", lambda: uploads_services.forget_unused(settings.uploads_path), 6 * 3600
    )
    jobs.register(
        audit_heads.JOB, lambda: audit_heads.keep_head(settings.INSTANCE_PATH, settings.SECRET_KEY), 6 * 3600
    )
    erasures.use(settings.INSTANCE_PATH)
    jobs.register(erasures.JOB, lambda: erasures.keep(settings.INSTANCE_PATH), 3600)
    jobs.register("render old posts again", lambda: rerendering.render_old(most=2000), 24 * 3600)
    jobs.register(moderation_personal.FORGET_JOB, moderation_personal.forget_comments, 24 * 3600)
    jobs.register(moderation_evidence.FORGET_JOB, moderation_evidence.forget_evidence, 24 * 3600)
    jobs.register(moderation_personal.FORGET_READINGS, moderation_personal.forget_readings, 24 * 3600)
    jobs.register(matching_jobs.RELEASE_JOB, reserving.release_due, 60)
    jobs.register(matching_personal.FORGET_JOB, matching_jobs.forget_old, 24 * 3600)
    jobs.register(conversations_jobs.DELIVER_JOB, conversations_jobs.deliver_due, 60)
    jobs.register(conversations_jobs.RELEASE_JOB, conversations_jobs.release_due, 300)
    jobs.register(conversations_jobs.HOLD_JOB, conversations_jobs.hold_due, 300)
    jobs.register(conversations_messages.FORGET_JOB, conversations_messages.forget_deleted, 6 * 3600)
    jobs.register(conversations_jobs.FORGET_REQUESTS_JOB, conversations_messages.forget_requests, 24 * 3600)
    jobs.register("finish postponed erasures", erasing.finish_postponed, 24 * 3600)
    jobs.register("forget what orders kept", preserving.forget_kept, 24 * 3600)
    jobs.register(asks_stages.CLOCK_JOB, asks_waves.move_on, 60)
    jobs.register(asks_stages.DELIVERY_JOB, asks_waves.deliver, 60)
    jobs.register("forget addresses of invites", asks_inviting.forget_addresses, 6 * 3600)
    jobs.register("forget kept asks", asks_keeping.forget_old, 6 * 3600)
    jobs.register(advocacy_sums.RENEW_JOB, advocacy_sums.renew_due, 600)
    jobs.register(scoping.RENEW_JOB, scoping.renew_due, 60)
    jobs.register(remembering.REMEMBER_JOB, remembering.remember, 60)
    jobs.register(weighing.APPLY_JOB, weighing.apply_due, 60)
    jobs.register(relations_reminding.REMIND_JOB, relations_reminding.tell_due, 3600)
    jobs.register(relations_services.FORGET_JOB, relations_services.forget_old, 24 * 3600)
    jobs.register("forget form keys", form_keys.forget_old, 6 * 3600)
    jobs.register("forget kept forms", kept_forms.forget_old, 3600)
    jobs.register("forget ended sessions", sessions.forget_ended, 6 * 3600)
    jobs.register("forget requests to join", joining.forget_old_requests, 6 * 3600)
    jobs.register("forget mailed links", credentials.forget_old_links, 6 * 3600)


def _install_templates(app: Flask, settings: Settings) -> None:
    app.jinja_env.globals["flag_reasons"] = moderation_forms.flag_reasons
    app.jinja_env.globals["ask_line"] = ask_page.thread_line
    app.jinja_env.globals["given_in_the_open"] = advocacy_views.own.given_in_the_open
    app.jinja_env.globals["score_sentences"] = advocacy_views.own.sentences
    app.jinja_env.globals["sign_in_form"] = members_views.signing_in.sign_in_form

    @app.context_processor
    def _common() -> dict[str, Any]:
        viewer = access.viewer()
        return {
            "viewer": viewer,
            "site": site.current(),
            "boards_nav": lambda: board_queries.boards_in_menu(viewer),
            "nav": lambda place: nav.entries(place, viewer),
            "nav_counts": nav.counter(viewer),
            "public_url": settings.PUBLIC_URL,
            "theme_css": theme.address(),
            "canonical_url": settings.PUBLIC_URL + request.path,
        }
