"""What the simulator is started with, and the senders it answers for."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, HttpUrl, SecretStr
from pydantic.alias_generators import to_camel

from whatsapp.simulator.phone import only_digits


class PhoneNumber(BaseModel):
    """A business phone number the simulator knows from the start."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    phone_number_id: str
    display_phone_number: str
    waba_id: str


class SimulatorConfig(BaseModel):
    """The configuration of one simulator process.

    `data_dir` holds its database `simulator.db`; signed webhooks are posted to `webhook_url`.
    `access_token` and `app_secret` are those of every number in `phone_numbers`; channels with
    others are added with `PUT /_sim/channels`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    port: int = 8090
    data_dir: Path
    webhook_url: HttpUrl
    app_secret: SecretStr
    access_token: SecretStr
    phone_numbers: tuple[PhoneNumber, ...] = ()

    def channels(self) -> list["Channel"]:
        return [
            Channel(
                phone_number_id=number.phone_number_id,
                phone_number=number.display_phone_number,
                waba_id=number.waba_id,
                access_token=self.access_token.get_secret_value(),
                app_secret=self.app_secret.get_secret_value(),
            )
            for number in self.phone_numbers
        ]


class Channel(BaseModel):
    """A sender: its ids, the token that may use it and the secret its webhooks are signed with."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True
    )

    phone_number_id: str
    phone_number: str
    waba_id: str
    access_token: str
    app_secret: str

    @property
    def digits(self) -> str:
        return only_digits(self.phone_number)
