"""The two shapes of every error answer (api.md section 1)."""

from typing import Any

from pydantic import Field

from api.schemas.common import Schema
from domain.documented_codes import ErrorCode, ErrorType


class ErrorAnswer(Schema):
    """An error on 400, 401, 404, 409 and 500; `cntTraceId` is in the server's log as well."""

    message: str
    type: ErrorType
    code: ErrorCode
    user_title: str
    user_message: str
    cnt_trace_id: str
    details: dict[str, Any]


class ErrorDetail(ErrorAnswer):
    """The same error inside an `rpcStatus`."""

    at_type: str = Field(alias="@type")


class RpcStatus(Schema):
    """An error on every other status: the gRPC code, and the error in `details[0]`."""

    code: int = Field(json_schema_extra={"format": "int32"})
    message: str
    details: list[ErrorDetail]
