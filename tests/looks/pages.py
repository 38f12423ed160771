"""Every page of the site: where it is, and who looks at it.

A new page gets a row here (`test_no_page_is_forgotten` fails until then); what is no page stands in NO_PAGE
with the reason. Words in braces are addresses that the scene fills in.
"""

from dataclasses import dataclass

EVERYBODY = ("visitor", "prospect", "customer", "moderator", "admin")
MEMBERS = EVERYBODY[1:]
STAFF = ("moderator", "admin")


@dataclass(frozen=True)
class Page:
    """One page, in one state. `status` is what it answers with."""

    label: str
    path: str
    who: tuple[str, ...] = EVERYBODY
    status: int = 200


DEMO = (
    # read by everybody
    Page("home", "/"),
    Page("board", "/boards/integrations"),
    Page("board-narrowed", "/boards/integrations?show=unanswered", ("visitor", "customer")),
    Page("board-nothing-fits", "/boards/war-stories?kind=question", ("visitor", "customer")),
    Page("board-archived", "/boards/flow-6"),
    Page("board-hidden", "/boards/customers-only", ("visitor", "prospect"), 404),
    Page("thread", "{sftp}"),
    Page("thread-war-story", "{war_story}"),
    Page("thread-tombstone", "{tombstone}"),
    Page("thread-unanswered", "{unanswered}"),
    Page("thread-crowded", "{crowded}"),
    Page("thread-closed", "{closed}", ("visitor", "customer", "moderator")),
    Page("thread-merged", "{merged}", ("visitor", "customer"), 200),
    Page("tag", "/tags/sftp"),
    Page("search", "/search?q=lanes"),
    Page("search-unasked", "/search"),
    Page("search-empty", "/search?q=pepol+access+piont+zzz", ("visitor", "customer")),
    Page("search-narrowed", "/search?q=lanes&board=integrations&answered=yes", ("visitor", "customer")),
    Page("member", "/members/tomaszw"),
    Page("member-threads", "/members/tomaszw/threads"),
    Page("member-posts", "/members/tomaszw/posts"),
    Page("company", "/companies/{company}"),
    Page("company-threads", "/companies/{company}/threads"),
    Page("company-hidden", "/companies/{company_unnamed}", ("visitor", "prospect"), 404),
    Page("history", "/posts/{answer}/history"),
    Page("rules", "/rules"),
    Page("transparency", "/transparency"),
    Page("log-entry", "/transparency/log/{decided_case}"),
    Page("privacy", "/privacy"),
    Page("how-it-works", "/how-it-works"),
    Page("not-found", "/boards/no-such-board", status=404),
    # coming in
    Page("join", "/join", ("visitor",)),
    Page("join-confirm", "/join/confirm/{join_token}", ("visitor",)),
    Page("join-link-gone", "/join/confirm/no-such-link", ("visitor",), 404),
    Page("login", "/login", ("visitor",)),
    Page("login-first", "/me/drafts", ("visitor",), 200),
    Page("login-link", "/login/link", ("visitor",)),
    Page("login-by-link", "/login/link/{sign_in_token}", ("visitor",)),
    Page("login-link-gone", "/login/link/no-such-link", ("visitor",), 404),
    Page("password", "/password", ("visitor",)),
    Page("password-new", "/password/{password_token}", ("visitor",)),
    Page("password-link-gone", "/password/no-such-link", ("visitor",), 404),
    Page("appeal-sent", "/appeals/sent", ("visitor",)),
    Page("unsubscribe", "/unsubscribe/{unsubscribe_token}", ("visitor",)),
    # one's own
    Page("welcome", "/welcome", ("newcomer",)),
    Page("home-newcomer", "/", ("newcomer",)),
    Page("people", "/members", MEMBERS),
    Page("people-narrowed", "/members?q=an&size=500-999", ("customer",)),
    Page("people-none", "/members?q=nobodyofthisname", ("customer",)),
    Page("notices", "/notifications", MEMBERS),
    Page("settings-notices", "/settings/notifications", MEMBERS),
    Page("settings-profile", "/settings/profile", MEMBERS),
    Page("settings-visibility", "/settings/visibility", MEMBERS),
    Page("settings-account", "/settings/account", MEMBERS),
    Page("settings-new-address", "/settings/account/email/{email_token}", ("customer",)),
    Page("settings-display", "/settings/display", MEMBERS),
    Page("settings-sessions", "/settings/sessions", MEMBERS),
    Page("own-data", "/me/data", MEMBERS),
    Page("bookmarks", "/me/bookmarks", MEMBERS),
    Page("bookmarks-none", "/me/bookmarks", ("newcomer",)),
    Page("drafts", "/me/drafts", MEMBERS),
    Page("drafts-none", "/me/drafts", ("newcomer",)),
    Page("following", "/me/following", MEMBERS),
    Page("following-none", "/me/following", ("newcomer",)),
    Page("notices-none", "/notifications", ("newcomer",)),
    # writing
    Page("new-thread", "/threads/new?board=integrations", MEMBERS),
    Page("new-war-story", "/threads/new?board=war-stories&kind=war_story", ("customer",)),
    Page("reply", "/threads/{sftp_id}/posts", ("customer",)),
    Page("comment", "/posts/{answer}/comments", ("customer",)),
    Page("quote", "/threads/{sftp_id}/posts?quote={answer}", ("customer",)),
    Page("edit", "/posts/{own}/edit", ("customer",)),
    Page("delete", "/posts/{own}/delete", ("customer",)),
    Page("flag", "/posts/{answer}/flag", ("prospect", "customer")),
    Page("pictures", "/uploads", MEMBERS),
    Page("forbidden", "/posts/{answer}/delete", ("customer",), 403),
    Page("console-forbidden", "/console/settings", ("customer",), 403),
    # what happens to an author
    Page("held-thread", "{held}", ("held", "moderator")),
    Page("decision", "/decisions/{decision}", ("author",)),
    Page("appeal", "/appeals/new?decision={decision}", ("author",)),
    Page("decision-appealed", "/decisions/{appealed}", ("appellant",)),
    # the console
    Page("queue", "/console/queue", STAFF),
    Page("queue-none", "/console/queue?board=customers-only&age=month", ("moderator",)),
    Page("case-open", "/console/cases/{open_case}", STAFF),
    Page("case-no-evidence", "/console/cases/{open_case}/evidence", ("moderator",), 404),
    Page("case-held", "/console/cases/{held_case}", ("moderator",)),
    Page("case-decided", "/console/cases/{decided_case}", STAFF),
    Page("judge", "/appeals/{appeal}", ("admin",)),
    Page("tools", "/threads/{sftp_id}/tools", STAFF),
    Page("split", "/threads/{sftp_id}/split", ("moderator",)),
    Page("merge", "/threads/{sftp_id}/merge", ("moderator",)),
    Page("rota", "/console/rota", STAFF),
    Page("practice", "/console/practice", STAFF),
    Page("practice-case", "/console/practice/belittles", STAFF),
    Page("console-log", "/console/log", STAFF),
    Page("console-log-none", "/console/log?since=2035-01-01", ("moderator",)),
    Page("console-health", "/console/health", STAFF),
    Page("console-health-year", "/console/health?weeks=52", ("moderator",)),
    Page("console-members", "/console/members", STAFF),
    Page("console-members-none", "/console/members?q=nobodyofthisname", ("moderator",)),
    Page("console-member", "/console/members/tomaszw", STAFF),
    Page("console-companies", "/console/companies", STAFF),
    Page("console-company", "/console/companies/{company}", STAFF),
    Page("console-new-company", "/console/companies/new", ("moderator",)),
    Page("console-rules", "/console/rules", ("admin",)),
    Page("console-rule", "/console/rules/4", ("admin",)),
    Page("console-new-rule", "/console/rules/new", ("admin",)),
    Page("console-settings", "/console/settings", ("admin",)),
    Page("console-boards", "/console/settings/boards", ("admin",)),
    Page("console-board", "/console/settings/boards/integrations", ("admin",)),
    Page("console-new-board", "/console/settings/boards/new", ("admin",)),
    Page("console-lists", "/console/settings/lists", ("admin",)),
    Page("console-calendar", "/console/settings/calendar", ("admin",)),
    Page("console-asks", "/console/settings/asks", ("admin",)),
    # asking and private conversations
    Page("ask", "/ask", ("visitor", "prospect", "customer")),
    Page("asks", "/asks", ("prospect", "customer")),
    Page("requests", "/requests", ("customer",)),
    Page("invites", "/invites", ("customer",)),
    Page("conversations", "/conversations", ("prospect", "customer")),
    Page("conversations-who-can-read", "/conversations/who-can-read"),
    Page("contributions", "/me/contributions", ("prospect", "customer")),
    Page("availability", "/settings/availability", ("customer",)),
    Page("first-minute", "/welcome/first-minute", ("customer",)),
)

# A site on its first day: one admin, one member, one board without a thread.
FRESH = (
    Page("fresh-home", "/", ("visitor", "customer", "admin")),
    Page("fresh-board", "/boards/first", ("visitor", "customer")),
    Page("fresh-search", "/search?q=lanes", ("visitor",)),
    Page("fresh-people", "/members", ("customer",)),
    Page("fresh-member", "/members/{customer}", ("visitor", "customer")),
    Page("fresh-notices", "/notifications", ("customer",)),
    Page("fresh-following", "/me/following", ("customer",)),
    Page("fresh-transparency", "/transparency", ("visitor",)),
    Page("fresh-queue", "/console/queue", ("admin",)),
    Page("fresh-log", "/console/log", ("admin",)),
    Page("fresh-health", "/console/health", ("admin",)),
    Page("fresh-members", "/console/members", ("admin",)),
    Page("fresh-companies", "/console/companies", ("admin",)),
    Page("fresh-settings", "/console/settings", ("admin",)),
    Page("fresh-boards", "/console/settings/boards", ("admin",)),
)

# Endpoints that answer a GET with something else than a page of their own.
NO_PAGE = {
    "discussions.go_to_number": "leads to a post",
    "discussions.post": "leads to its place in the thread",
    "composing.quotation": "text for a script",
    "asks.similar": "part of a page, for a script",
    "composing.similar": "part of a page, for a script",
    "community_health.export": "file",
    "conversations.calendar_file": "file",
    "conversations.export": "file",
    "feeds.board_feed": "Atom",
    "feeds.latest_feed": "Atom",
    "feeds.robots": "text",
    "feeds.sitemap": "XML",
    "feeds.sitemap_boards": "XML",
    "feeds.sitemap_threads": "XML",
    "health.figures": "Prometheus text",
    "health.healthz": "text",
    "health.readyz": "text",
    "members.join_sent": "after the form of joining: test_forms_and_errors",
    "members.me": "leads to one's page",
    "members.picture": "picture",
    "members.send_again": "after signing in anew: test_forms_and_errors",
    "members.settings": "leads to the profile",
    "mentions.complete": "JSON",
    "notifications.open_notice": "leads to what it tells of",
    "own_data.export": "file",
    "queue.today": "leads to the queue",
    "static": "files",
    "theme.logo": "picture",
    "theme.style": "style sheet",
    "uploads.picture": "picture",
}

# Pages of one ask, one conversation, one request or one invite: the demo has no fixed address for them yet.
# Until it has, only their own tests look at them.
WITHOUT_ADDRESS = {
    "ask_page.edit_summary",
    "ask_page.show",
    "connecting.connect",
    "console_asks.show",
    "conversations.ask_for_person",
    "conversations.ask_for_times",
    "conversations.ask_to_add",
    "conversations.ask_to_leave",
    "conversations.ask_to_rate",
    "conversations.ask_to_report",
    "conversations.conversation",
    "conversations.new",
    "conversations.own_messages",
    "invites.show",
    "requests.show",
}
