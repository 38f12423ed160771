"""What of a profile is shown to whom: chosen by its owner, field by field."""

from typing import Any

EVERYONE, MEMBERS, NOBODY = "everyone", "members", "nobody"
CHOICES = (EVERYONE, MEMBERS, NOBODY)

# Each field with what holds until its owner chooses.
FIELDS: dict[str, str] = {
    "picture": EVERYONE,
    "title": EVERYONE,
    "company": EVERYONE,
    "about": EVERYONE,
    "topics": EVERYONE,
    "region": MEMBERS,
    "languages": MEMBERS,
    "products": MEMBERS,
    "use_cases": MEMBERS,
    "replaced": MEMBERS,
    "contributions": EVERYONE,
}


def chosen(visibility: dict[str, Any], field: str) -> str:
    """Who may see this field."""
    choice = visibility.get(field)
    return choice if choice in CHOICES else FIELDS.get(field, EVERYONE)


def shows(visibility: dict[str, Any], field: str, *, to_members: bool) -> bool:
    """Whether this field is shown to members, or else to visitors too."""
    choice = chosen(visibility, field)
    return choice == EVERYONE or (choice == MEMBERS and to_members)
