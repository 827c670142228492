"""What can go wrong with a request, as exceptions named after the situation (api.md section 1)."""

from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

from domain.documented_codes import ErrorCode, ErrorType


class PartialError(NamedTuple):
    """The document's `errorPartialError`: what went wrong, for programs and for people."""

    message: str
    type: ErrorType
    code: ErrorCode
    user_title: str
    user_message: str

    def as_json(self) -> dict[str, str]:
        """The five documented fields, as they stand in a report row."""
        return {
            "message": self.message,
            "type": self.type.value,
            "code": self.code.value,
            "userTitle": self.user_title,
            "userMessage": self.user_message,
        }


class ApiError(Exception):
    """An answer that is an error: HTTP status, the documented fields, details and headers.

    A subclass names a situation and gives its status and texts; `message` says what is wrong in
    this case and how to mend it.
    """

    status: ClassVar[int]
    type: ClassVar[ErrorType]
    code: ClassVar[ErrorCode]
    title: ClassVar[str]
    advice: ClassVar[str] = ""
    """What the user can do; the message itself where it says so already."""

    def __init__(
        self,
        message: str,
        *,
        code: ErrorCode | None = None,
        title: str | None = None,
        advice: str | None = None,
        details: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.error = PartialError(
            message,
            self.type,
            code or self.code,
            title or self.title,
            advice or self.advice or message,
        )
        self.details = dict(details or {})
        self.headers = dict(headers or {})


class BadRequest(ApiError):
    """400: the request cannot be understood; the message names the field and the fix."""

    status = 400
    type = ErrorType.INVALID_REQUEST
    code = ErrorCode.BAD_REQUEST
    title = "Request is invalid"


class PreconditionFailed(ApiError):
    """400: a good request that the business or the customer is not ready for.

    Its type is what live clients of Connectly tell a closed window by (reference/connectly.md 0.1).
    """

    status = 400
    type = ErrorType.FAILED_PRECONDITION
    code = ErrorCode.CONFLICT
    title = "Precondition failed"


class Unauthenticated(ApiError):
    """401: the key is missing, unknown or revoked; which of them is not told."""

    status = 401
    type = ErrorType.AUTHENTICATION
    code = ErrorCode.UNAUTHENTICATED
    title = "Invalid credentials"

    def __init__(self) -> None:
        super().__init__("The header X-API-Key must hold a valid API key of this server.")


class PermissionDenied(ApiError):
    """403: a good key, but not for this business or not with this scope."""

    status = 403
    type = ErrorType.AUTHORIZATION
    code = ErrorCode.PERMISSION_DENIED
    title = "Permission denied"


class NotFound(ApiError):
    """404: nothing of that name or id."""

    status = 404
    type = ErrorType.NOT_FOUND
    code = ErrorCode.NOT_FOUND
    title = "Not found"


class MethodNotAllowed(ApiError):
    """405: the address exists, but not for this method."""

    status = 405
    type = ErrorType.UNIMPLEMENTED
    code = ErrorCode.BAD_REQUEST
    title = "Method not allowed"


class Conflict(ApiError):
    """409: the present state does not allow it."""

    status = 409
    type = ErrorType.CONFLICT
    code = ErrorCode.CONFLICT
    title = "Conflict"


class FirstRequestStillRunning(Conflict):
    """409: a request with the same Idempotency-Key has not been answered yet."""

    title = "First request still running"

    def __init__(self) -> None:
        super().__init__(
            "A request with this Idempotency-Key is still being answered; repeat it in a second.",
            headers={"Retry-After": "1"},
        )


class BodyTooLarge(ApiError):
    """413: the body is over the limit, in bytes."""

    status = 413
    type = ErrorType.REQUEST_ENTITY_TOO_LARGE
    code = ErrorCode.CAMPAIGN_LARGE_REQUEST
    title = "Request is too large"

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"The body must not be larger than {limit:,} bytes; send the entries in several requests."
        )


class IdempotencyKeyReused(ApiError):
    """422: the Idempotency-Key was used within 24 hours with another body."""

    status = 422
    type = ErrorType.FAILED_PRECONDITION
    code = ErrorCode.CONFLICT
    title = "Idempotency-Key was used before"

    def __init__(self) -> None:
        super().__init__(
            "This Idempotency-Key was used with another request; use a new key for a new request."
        )


class Throttled(ApiError):
    """429: too many requests at once; `retry_after` in whole seconds."""

    status = 429
    type = ErrorType.RESOURCE_EXHAUSTED
    code = ErrorCode.THROTTLED
    title = "Too many requests"

    def __init__(self, limit: int, retry_after: int = 1, *, instead: str = "") -> None:
        super().__init__(
            f"More than {limit} requests within one second; repeat after Retry-After "
            f"seconds{instead}.",
            headers={"Retry-After": str(retry_after)},
        )


class InternalError(ApiError):
    """500: an error of ours; the log has it under the answer's cntTraceId."""

    status = 500
    type = ErrorType.INTERNAL
    code = ErrorCode.UNSPECIFIED
    title = "Something went wrong"

    def __init__(self) -> None:
        super().__init__(
            "The server made an error; its log holds the cause under this answer's cntTraceId."
        )


class Unavailable(ApiError):
    """503: a part that is needed is away; nothing was done unless `details` says otherwise."""

    status = 503
    type = ErrorType.UNAVAILABLE
    code = ErrorCode.UNSPECIFIED
    title = "Service is unavailable"

    def __init__(self, message: str, *, details: Mapping[str, Any] | None = None) -> None:
        super().__init__(message, details=details, headers={"Retry-After": "1"})
