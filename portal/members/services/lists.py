"""The closed lists and the products, as an admin edits them."""

import re
from dataclasses import dataclass

from flask_babel import gettext as _
from sqlalchemy import delete, select

from portal.kernel import audit, events, site
from portal.kernel.access import Permission, Viewer
from portal.kernel.db import db
from portal.kernel.errors import Forbidden, Invalid, NotFound
from portal.kernel.unit_of_work import unit_of_work
from portal.members import lists
from portal.members.events import ProductsChanged
from portal.members.lists import Item
from portal.members.models import ListItem, Product

LONGEST_TAGS = 400
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9+.-]{0,11}")
_REGION = re.compile(r"[A-Z]{2}")  # as wide as its column, and as ISO 3166 has them


@dataclass(frozen=True)
class ProductRow:
    """A product as an admin sees it; `id` None for a new one."""

    id: int | None
    name: str
    retired: bool = False
    tags: str = ""  # parted by spaces; "" for the tag that reads like the name


def save_list(admin: Viewer, name: str, items: list[Item]) -> None:
    """Put a whole list in force, in this order. Raises Forbidden, NotFound, Invalid.

    A code that exists stays: what people chose must keep its meaning. Retired entries are no longer offered.
    """
    _check(admin)
    if name not in lists.TITLES:
        raise NotFound("no such list")
    for item in items:
        if name == lists.REGIONS and not _REGION.fullmatch(item.code):
            raise Invalid(
                _("“%(code)s” cannot be a code: use two capital letters.", code=item.code[:20]), "code"
            )
        if not _CODE.fullmatch(item.code):
            raise Invalid(
                _("“%(code)s” cannot be a code: use letters, digits, + . and -.", code=item.code[:20]), "code"
            )
        if not 1 <= len(item.label.strip()) <= 120:
            raise Invalid(
                _("Write what %(code)s is called, in at most 120 characters.", code=item.code),
                f"label-{item.code}",
            )
    codes = [item.code for item in items]
    if len(set(codes)) < len(codes):
        raise Invalid(_("Two entries have the same code."), "code")
    missing = {item.code for item in lists.entries(name, retired=True)} - set(codes)
    if missing:
        raise Invalid(_("%(names)s can be retired, but not taken away.", names=", ".join(sorted(missing))))
    with unit_of_work():
        db.session.execute(delete(ListItem).where(ListItem.list_name == name))
        db.session.add_all(
            ListItem(
                list_name=name,
                code=item.code,
                label=" ".join(item.label.split()),
                noun=" ".join(item.noun.split())[:80],
                position=position,
                retired=item.retired,
            )
            for position, item in enumerate(items)
        )
        site.touch()
        audit.record(admin, "change list", "list", None, name, area="settings")


def all_products() -> list[Product]:
    """Every product in order, retired ones too."""
    return list(db.session.execute(select(Product).order_by(Product.position, Product.name)).scalars())


def save_products(admin: Viewer, rows: list[ProductRow]) -> None:
    """Put the products in force, in this order. Raises Forbidden, Invalid."""
    _check(admin)
    names = [" ".join(row.name.split()) for row in rows]
    tags = [" ".join(dict.fromkeys(row.tags.replace(",", " ").lower().split())) for row in rows]
    if any(len(of) > LONGEST_TAGS for of in tags):
        raise Invalid(_("At most %(most)s characters of tags fit.", most=LONGEST_TAGS), "tags")
    if any(not 1 <= len(name) <= 80 for name in names):
        raise Invalid(_("A product's name has 1 to 80 characters."), "name")
    if len({name.casefold() for name in names}) < len(names):
        raise Invalid(_("Two products have the same name."), "name")
    with unit_of_work():
        known = {product.id: product for product in all_products()}
        before = {number: product.tag_names for number, product in known.items()}
        saved = []
        # Two that swap their names must not collide half way.
        for product in known.values():
            product.name = f"#{product.id}"
        db.session.flush()
        for position, (row, name, of) in enumerate(zip(rows, names, tags, strict=True)):
            if row.id is not None and row.id not in known:
                raise Invalid(_("There is no such product."), "name")
            product = Product() if row.id is None else known.pop(row.id)
            product.name, product.position, product.retired = name, position, row.retired
            product.tags = of
            db.session.add(product)
            saved.append(product)
        if known:
            raise Invalid(_("A product can be retired, but not taken away."))
        db.session.flush()  # new ones get their ids
        changed = [product.id for product in saved if before.get(product.id) != product.tag_names]
        if changed:
            events.publish(ProductsChanged(tuple(changed)))
        site.touch()
        audit.record(admin, "change products", "list", None, area="settings")


def _check(admin: Viewer) -> None:
    if not admin.may(Permission.ADMINISTER):
        raise Forbidden(_("Only admins can change the lists."))
