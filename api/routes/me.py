"""Who a key belongs to."""

from fastapi import APIRouter

from api.deps import AnyCaller
from api.schemas.me import Me

router = APIRouter(tags=["keys"])


@router.get("/v1/me")
async def me(caller: AnyCaller) -> Me:
    """The business, name and scopes of the key that asks."""
    return Me(business_id=caller.business_id, name=caller.name, scopes=sorted(caller.scopes))
