"""Boards, threads and posts, and what members do with them."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from portal.kernel.db import Base, Versioned, check, short_enum


class Audience(StrEnum):
    """Who may read a board; each includes the ones after it in the sense of policy.READABLE."""

    PUBLIC = "public"
    PROSPECTS = "prospects"
    CUSTOMERS = "customers"
    STAFF = "staff"


class ThreadKind(StrEnum):
    QUESTION = "question"
    DISCUSSION = "discussion"
    WAR_STORY = "war_story"


class PostKind(StrEnum):
    """In a question, a numbered post by anyone but the asker is an answer; a comment has no number."""

    OPENING = "opening"
    ANSWER = "answer"
    REPLY = "reply"
    COMMENT = "comment"


class PostState(StrEnum):
    """Held: waits for a moderator. Hidden: removed by a decision. Deleted: by its author."""

    VISIBLE = "visible"
    HELD = "held"
    HIDDEN = "hidden"
    DELETED = "deleted"


class ShownAs(StrEnum):
    """How an author appears: by name, or as role, industry, size and country."""

    NAME = "name"
    ROLE = "role"


class Board(Versioned, Base):
    """A place for threads with one audience."""

    __tablename__ = "boards"

    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(String(60), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    description: Mapped[str] = mapped_column(String(400), default="")
    audience: Mapped[Audience] = mapped_column(short_enum(Audience), default=Audience.PUBLIC)
    position: Mapped[int] = mapped_column(default=0)
    archived_at: Mapped[datetime | None] = mapped_column()
    created_at: Mapped[datetime] = mapped_column()
    threads_count: Mapped[int] = mapped_column(default=0)  # visible threads
    posts_count: Mapped[int] = mapped_column(default=0)  # visible numbered posts
    followers_count: Mapped[int] = mapped_column(default=0)
    last_activity_at: Mapped[datetime | None] = mapped_column()
    content_version: Mapped[int] = mapped_column(default=1)  # counts every change a board page shows


class Thread(Versioned, Base):
    """A question, discussion or war story; its posts are numbered from 1 (the opening)."""

    __tablename__ = "threads"

    id: Mapped[int] = mapped_column(primary_key=True)
    board_id: Mapped[int] = mapped_column(ForeignKey("boards.id", ondelete="RESTRICT"))
    kind: Mapped[ThreadKind] = mapped_column(short_enum(ThreadKind))
    title: Mapped[str] = mapped_column(String(200))
    slug: Mapped[str] = mapped_column(String(90))
    author_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="RESTRICT"))
    # Chosen when it is opened, for all that its author writes in it; each post carries its own beyond that.
    author_shown_as: Mapped[ShownAs] = mapped_column(
        short_enum(ShownAs), default=ShownAs.NAME, server_default=ShownAs.NAME.value
    )
    # As of its opening post: a held or hidden opening holds or hides the thread.
    state: Mapped[PostState] = mapped_column(short_enum(PostState), default=PostState.VISIBLE)
    created_at: Mapped[datetime] = mapped_column()
    last_activity_at: Mapped[datetime] = mapped_column()
    last_post_id: Mapped[int | None] = mapped_column()
    last_author_id: Mapped[int | None] = mapped_column()
    last_number: Mapped[int] = mapped_column(default=0)  # highest number given so far
    posts_count: Mapped[int] = mapped_column(default=0)  # visible numbered posts, opening included
    answers_count: Mapped[int] = mapped_column(default=0)  # visible answers
    comments_count: Mapped[int] = mapped_column(default=0)
    score: Mapped[int] = mapped_column(default=0)  # of the opening post
    followers_count: Mapped[int] = mapped_column(default=0)
    views_count: Mapped[int] = mapped_column(default=0)
    vendor_replied: Mapped[bool] = mapped_column(default=False)
    accepted_post_id: Mapped[int | None] = mapped_column()
    accepted_at: Mapped[datetime | None] = mapped_column()
    pinned_at: Mapped[datetime | None] = mapped_column()
    closed_at: Mapped[datetime | None] = mapped_column()
    closed_reason: Mapped[str] = mapped_column(String(400), default="")
    # Merged away: state is deleted, and this says where its address leads now.
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("threads.id", ondelete="SET NULL"))
    tags: Mapped[list[str]] = mapped_column(JSON, default=list)  # names, for lists; ThreadTag is for finding
    content_version: Mapped[int] = mapped_column(default=1)  # counts every change the list of posts shows
    import_source: Mapped[str | None] = mapped_column(String(80))
    external_id: Mapped[str | None] = mapped_column(String(80))

    __table_args__ = (
        UniqueConstraint("import_source", "external_id"),
        Index("ix_threads_board_activity", "board_id", "state", "last_activity_at", "id"),
        Index("ix_threads_board_created", "board_id", "state", "created_at", "id"),
        Index("ix_threads_author", "author_id", "state", "created_at", "id"),
        Index("ix_threads_board_kind", "board_id", "kind", "state", "last_activity_at", "id"),
        Index("ix_threads_activity", "state", "last_activity_at", "id"),
        Index("ix_threads_created", "created_at", "id"),
        Index(
            "ix_threads_accepted",
            "accepted_at",
            sqlite_where=text("accepted_at IS NOT NULL"),
            postgresql_where=text("accepted_at IS NOT NULL"),
        ),
        Index(
            "ix_threads_pinned",
            "board_id",
            "pinned_at",
            sqlite_where=text("pinned_at IS NOT NULL"),
            postgresql_where=text("pinned_at IS NOT NULL"),
        ),
        Index(
            "ix_threads_stories",
            "created_at",
            "id",
            sqlite_where=text("kind = 'war_story'"),
            postgresql_where=text("kind = 'war_story'"),
        ),
        Index(
            "ix_threads_waiting",
            "created_at",
            "id",
            sqlite_where=text("kind = 'question' AND answers_count = 0"),
            postgresql_where=text("kind = 'question' AND answers_count = 0"),
        ),
        Index(
            "ix_threads_unanswered",
            "board_id",
            "created_at",
            "id",
            sqlite_where=text("kind = 'question' AND answers_count = 0"),
            postgresql_where=text("kind = 'question' AND answers_count = 0"),
        ),
    )


class Post(Versioned, Base):
    """One contribution. HTML is made once, when written."""

    __tablename__ = "posts"

    id: Mapped[int] = mapped_column(primary_key=True)
    thread_id: Mapped[int] = mapped_column(ForeignKey("threads.id", ondelete="CASCADE"))
    number: Mapped[int | None] = mapped_column()  # None for comments
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("posts.id", ondelete="CASCADE"))  # of a comment
    kind: Mapped[PostKind] = mapped_column(short_enum(PostKind))
    author_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="RESTRICT"))
    # Stays with the post where it is split off or merged into another thread.
    author_shown_as: Mapped[ShownAs] = mapped_column(
        short_enum(ShownAs), default=ShownAs.NAME, server_default=ShownAs.NAME.value
    )
    source: Mapped[str] = mapped_column(Text)
    source_format: Mapped[str] = mapped_column(
        String(8), default="markdown"
    )  # markdown, html (imported), text
    sections: Mapped[dict[str, Any] | None] = mapped_column(JSON)  # war story: happened, cost, differently
    html: Mapped[str] = mapped_column(Text)
    excerpt: Mapped[str] = mapped_column(String(240), default="")
    renderer_version: Mapped[int] = mapped_column(default=0)
    state: Mapped[PostState] = mapped_column(short_enum(PostState), default=PostState.VISIBLE)
    state_reason: Mapped[str] = mapped_column(String(600), default="")  # as the tombstone shows it
    state_rule: Mapped[str] = mapped_column(String(160), default="")
    state_case_id: Mapped[int | None] = mapped_column()  # of moderation, for the link into the log
    state_at: Mapped[datetime | None] = mapped_column()
    base_score: Mapped[int] = mapped_column(default=0)  # an imported score that came without its votes
    score: Mapped[int] = mapped_column(default=0)  # base_score + sum of votes
    votes_count: Mapped[int] = mapped_column(default=0)  # up votes by members
    revisions_count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column()
    edited_at: Mapped[datetime | None] = mapped_column()
    by_vendor: Mapped[bool] = mapped_column(default=False)  # written by an account on a vendor domain
    mentions: Mapped[list[int]] = mapped_column(JSON, default=list)  # ids of mentioned members
    source_url: Mapped[str] = mapped_column(String(200), default="")  # where an imported post comes from
    import_source: Mapped[str | None] = mapped_column(String(80))
    external_id: Mapped[str | None] = mapped_column(String(80))

    __table_args__ = (
        UniqueConstraint("thread_id", "number"),
        UniqueConstraint("import_source", "external_id"),
        Index("ix_posts_comments", "parent_id", "id"),
        Index("ix_posts_author", "author_id", "created_at", "id"),
        # Whole: the figures of a time read posts by when they were written, and no text of theirs.
        Index("ix_posts_written", "created_at", "author_id", "kind", "state", "by_vendor", "thread_id"),
        check("comment_has_parent", "(kind = 'comment') = (parent_id IS NOT NULL)"),
        check("comment_has_no_number", "(kind = 'comment') = (number IS NULL)"),
    )


class PostRevision(Base):
    """What a post said before an edit."""

    __tablename__ = "post_revisions"

    id: Mapped[int] = mapped_column(primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id", ondelete="CASCADE"), index=True)
    version: Mapped[int] = mapped_column()  # the version of the post that this text was
    title: Mapped[str] = mapped_column(String(200), default="")  # of the thread, when an opening was edited
    source: Mapped[str] = mapped_column(Text)
    editor_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="RESTRICT"))
    reason: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime] = mapped_column()  # when the edit that replaced it was made


class Vote(Base):
    """One person's vote. Members vote up only; imported down votes are kept, shown, and earn nothing."""

    __tablename__ = "votes"

    id: Mapped[int] = mapped_column(primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id", ondelete="CASCADE"))
    member_id: Mapped[int | None] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    value: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column()
    import_source: Mapped[str | None] = mapped_column(String(80))
    external_id: Mapped[str | None] = mapped_column(String(80))

    __table_args__ = (
        UniqueConstraint("post_id", "member_id"),
        UniqueConstraint("import_source", "external_id"),
        check("value", "value IN (-1, 1)"),
    )


class Tag(Base):
    """A word that threads are filed under."""

    __tablename__ = "tags"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(40), unique=True)
    threads_count: Mapped[int] = mapped_column(default=0)


class ThreadTag(Base):
    __tablename__ = "thread_tags"

    tag_id: Mapped[int] = mapped_column(ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True)
    thread_id: Mapped[int] = mapped_column(
        ForeignKey("threads.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class Follow(Base):
    """A member who wants to hear of a thread or a whole board."""

    __tablename__ = "follows"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"))
    thread_id: Mapped[int | None] = mapped_column(ForeignKey("threads.id", ondelete="CASCADE"), index=True)
    board_id: Mapped[int | None] = mapped_column(ForeignKey("boards.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column()

    __table_args__ = (
        UniqueConstraint("member_id", "thread_id"),
        UniqueConstraint("member_id", "board_id"),
        check("one_target", "(thread_id IS NULL) <> (board_id IS NULL)"),
    )


class ReadMark(Base):
    """How far a member has read a thread: everything up to `last_number`."""

    __tablename__ = "read_marks"

    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), primary_key=True)
    thread_id: Mapped[int] = mapped_column(
        ForeignKey("threads.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    last_number: Mapped[int] = mapped_column()
    read_at: Mapped[datetime] = mapped_column()


class Bookmark(Base):
    """A post that a member wants to find again."""

    __tablename__ = "bookmarks"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"))
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column()

    __table_args__ = (UniqueConstraint("member_id", "post_id"),)


class Draft(Base):
    """Unsent text. `sequence` counts the saves, so that a stale tab cannot overwrite a newer one."""

    __tablename__ = "drafts"

    id: Mapped[int] = mapped_column(primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"))
    place: Mapped[str] = mapped_column(String(80))  # "new:<board>", "thread:7", "comment:12", "edit:12"
    fields: Mapped[dict[str, Any]] = mapped_column(JSON)
    sequence: Mapped[int] = mapped_column(default=1)
    saved_at: Mapped[datetime] = mapped_column(index=True)

    __table_args__ = (UniqueConstraint("member_id", "place"),)


class Upload(Base):
    """A picture that a member uploaded: re-encoded, without metadata."""

    __tablename__ = "uploads"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)  # random file name under uploads
    member_id: Mapped[int] = mapped_column(ForeignKey("members.id", ondelete="CASCADE"), index=True)
    post_id: Mapped[int | None] = mapped_column(ForeignKey("posts.id", ondelete="SET NULL"), index=True)
    width: Mapped[int] = mapped_column()
    height: Mapped[int] = mapped_column()
    bytes: Mapped[int] = mapped_column()
    created_at: Mapped[datetime] = mapped_column(index=True)
