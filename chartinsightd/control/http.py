"""What every HTTP listener of the daemon does alike: refusals in our words, bounds in time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from chartinsightd.control.handlers import Caller, Handlers
from chartinsightd.control.openapi import PROBLEM_JSON
from chartinsightd.control.operations import A, Operation, Q
from chartinsightd.control.problems import Refused, problem, problem_of
from chartinsightd.control.protocol.problems import Problem
from chartinsightd.domain.errors import ChartInsightError

log = structlog.get_logger(__name__)

MAX_BODY_BYTES = 256 * 1024
"""Room for every listed symbol in one request, several times over."""
ANSWER_TIMEOUT_S = 25.0
"""Shorter than the client's patience, so that it gets our words."""

HttpHandler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Connection(web.RequestHandler):
    """One connection. Where the bytes are no HTTP, the answer is a problem like every other refusal."""

    __slots__ = ()

    def log_exception(self, *args: object, exc_info: object = None, **more: object) -> None:
        """Log a bug; a body that cannot be read is the client's, who has its answer."""
        del args, more  # the library's words
        if isinstance(exc_info, web.RequestPayloadError | HttpProcessingError):
            log.debug("control.not_http", error=type(exc_info).__name__)
        else:
            log.error("control.connection_failed", exc_info=exc_info)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what never reached the application.

        Raises:
            ConnectionError: part of an answer is sent already.
        """
        del message  # the parser's words
        self.log_exception(exc_info=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("an answer was begun and cannot be another one now")
        answer = problem_answer(problem(status, "The bytes are no HTTP request that is understood here."))
        answer.force_close()
        return answer


async def expected(request: web.Request) -> web.StreamResponse | None:
    """Tell a client that waits with its body to send it; refuse any other expectation (RFC 9110, 10.1.1)."""
    if request.headers.get("Expect", "").lower() != "100-continue":
        return problem_answer(problem(417, "Only `Expect: 100-continue` is understood."))
    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    request.writer.output_size = 0  # else an error below would be taken for a second answer
    return None


async def logged(operation: Operation[Any, A], handlers: Handlers, asked: Q, caller: Caller) -> A:
    """Carry out a command; log who wanted it and what came of it.

    Raises:
        ChartInsightError: what the handler raises.
    """
    in_path = asked.model_dump(include=set(operation.path_fields))
    said = log.bind(operation=operation.name, user=caller.name, **caller.log_fields, **in_path)
    try:
        outcome = await handlers.answer(operation, asked, caller)
    except ChartInsightError as error:
        said.warning("control.mutation_refused", error=str(error))
        raise
    said.info("control.mutation_done", **outcome.model_dump(mode="json", include={"state", "job_id"}))
    return outcome


def timed(handler: HttpHandler, timeout_s: float) -> HttpHandler:
    """Return a handler that answers 503 when it takes longer than `timeout_s` real seconds."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            async with asyncio.timeout(timeout_s):
                return await handler(request)
        except TimeoutError:
            words = f"The daemon did not get to an answer within {timeout_s:g} s."
            raise Refused(problem(503, words, "Try again; if it stays so, look into the log.")) from None

    return handle


@web.middleware
async def with_problems(request: web.Request, handler: HttpHandler) -> web.StreamResponse:
    """Answer everything that goes wrong with a problem; a bug is logged and never shown."""
    try:
        return await handler(request)
    except Refused as refused:
        return problem_answer(refused.problem)
    except ChartInsightError as error:
        return problem_answer(problem_of(error))
    except web.HTTPException as error:
        headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
        return problem_answer(problem(error.status, f"{request.method} {request.path}"), headers)
    except Exception:
        log.exception("control.request_failed", method=request.method, path=request.path)
        return problem_answer(problem(500, remedy="This is a bug: please report it with the daemon's log."))


def problem_answer(what: Problem, headers: dict[str, str] | None = None) -> web.Response:
    """Return a problem as an answer."""
    body = what.model_dump_json().encode()
    return web.Response(body=body, status=what.status, content_type=PROBLEM_JSON, headers=headers)
