"""What the embedded stack is reached with: fixed, known to everyone, so good on loopback only."""

from typing import Final

BUSINESS_ID: Final = "11111111-1111-4111-8111-111111111111"
BUSINESS_NAME: Final = "Development"
API_KEY: Final = "dev-key"

# The default channel, as the simulator knows it.
PHONE_NUMBER: Final = "+15550001111"
PHONE_NUMBER_ID: Final = "100000000000001"
WABA_ID: Final = "200000000000001"
ACCESS_TOKEN: Final = "dev-access-token"  # noqa: S105 - public on purpose
APP_SECRET: Final = "dev-app-secret"  # noqa: S105 - public on purpose
VERIFY_TOKEN: Final = "dev-verify-token"  # noqa: S105 - public on purpose
