"""What the embedded stack starts with: its business, key, channel, and the example flows."""

import json
from pathlib import Path
from uuid import UUID

import httpx
import structlog
from pydantic import HttpUrl, SecretStr

from domain.phone import mask
from embedded import credentials
from embedded.dev import api_url
from settings import Settings
from storage import businesses, channels, keys
from storage.session import Database
from whatsapp.simulator.app import serve
from whatsapp.simulator.config import PhoneNumber, SimulatorConfig

log = structlog.get_logger(__name__)

EXAMPLES = Path(__file__).resolve().parent / "examples" / "flows"
_BUSINESS_ID = UUID(credentials.BUSINESS_ID)
_SCOPES = frozenset({"send", "read", "operate", "admin"})


def serve_simulator(settings: Settings) -> None:
    """Serve the simulator with the stack's own number, reporting to the stack's API."""
    serve(
        SimulatorConfig(
            port=settings.simulator_port,
            data_dir=settings.data_dir / "simulator",
            webhook_url=HttpUrl(f"{api_url(settings)}/v1/providers/whatsapp/webhook"),
            app_secret=SecretStr(credentials.APP_SECRET),
            access_token=SecretStr(credentials.ACCESS_TOKEN),
            phone_numbers=(
                PhoneNumber(
                    phone_number_id=credentials.PHONE_NUMBER_ID,
                    display_phone_number=credentials.PHONE_NUMBER,
                    waba_id=credentials.WABA_ID,
                ),
            ),
        )
    )


async def seed(settings: Settings) -> None:
    """Put everything in place; what is there already is left as it is.

    The flows are published through the API, as a user would. Raises `httpx.HTTPError` if it is away.
    """
    async with Database(settings.database_url, pool_size=2) as database:
        await _business(database)
    base = f"{api_url(settings)}/v1/businesses/{credentials.BUSINESS_ID}"
    headers = {"X-API-Key": credentials.API_KEY}
    async with httpx.AsyncClient(headers=headers, trust_env=False, timeout=30) as http:
        for path in sorted(EXAMPLES.glob("*.json")):
            await publish(http, base, path.stem, json.loads(path.read_bytes()))


async def _business(database: Database) -> None:
    async with database.transaction() as connection:
        created = await businesses.create_business(
            connection, _BUSINESS_ID, credentials.BUSINESS_NAME
        )
        if not created:
            return
        await keys.add_key(
            connection, _BUSINESS_ID, name="dev", scopes=_SCOPES, secret=credentials.API_KEY
        )
        await channels.add_channel(
            connection,
            _BUSINESS_ID,
            channels.NewChannel(
                phone_number=credentials.PHONE_NUMBER,
                phone_number_id=credentials.PHONE_NUMBER_ID,
                waba_id=credentials.WABA_ID,
                access_token=credentials.ACCESS_TOKEN,
                app_secret=credentials.APP_SECRET,
                default=True,
            ),
        )
        log.info("business and channel made", sender=mask(credentials.PHONE_NUMBER))


async def publish(
    http: httpx.AsyncClient, base: str, name: str, document: dict[str, object]
) -> None:
    """Create and publish a campaign of that name, unless there is one."""
    made = await http.post(f"{base}/campaigns", json={"name": name, "flow": document})
    if made.status_code == 409:
        return
    made.raise_for_status()
    campaign_id = made.json()["entity"]["campaignId"]
    published = await http.post(f"{base}/campaigns/{campaign_id}/publish", json={})
    published.raise_for_status()
    log.info("example flow published", campaign=name)
