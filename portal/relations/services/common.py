"""What every write here begins with: the company of a customer."""

from sqlalchemy import select

from portal.kernel.db import db
from portal.kernel.errors import NotFound
from portal.members.models import Company
from portal.relations.queries.predicates import is_known


def lock_company(company_id: int) -> str:
    """Lock the company's row; gives its slug. Raises NotFound for one that never was a customer, too."""
    found = select(Company.slug).where(Company.id == company_id, is_known()).with_for_update(key_share=True)
    slug = db.session.execute(found).scalar_one_or_none()
    if slug is None:
        raise NotFound("no such company")
    return slug
