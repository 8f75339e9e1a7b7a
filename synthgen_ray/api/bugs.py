"""What nobody expected ends here: the server around the application logs all that reaches it, and the text of an error
may quote a cell of a table."""

from uuid import uuid4

from fastapi import FastAPI
from starlette.types import Message, Receive, Scope, Send

from synthgen_ray.api.problems import bug, log_bug
from synthgen_ray.domain.errors import frames_of


class AnswerCutShort(Exception):
    """An answer had begun when something failed: its server must not end it as if it were whole."""


class Quiet(FastAPI):
    """Lets no unexpected error out that was answered, and of others only where they come from."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        is_begun = is_whole = False

        async def send_seen(message: Message) -> None:
            nonlocal is_begun, is_whole
            is_begun = True
            await send(message)
            is_whole = message["type"] == "http.response.body" and not message.get("more_body", False)

        try:
            await super().__call__(scope, receive, send_seen)
            return
        except Exception as error:  # noqa: BLE001 - the border
            frames = frames_of(error)
        # Out of the block, so that nothing that is raised has the error behind it.
        state = scope.setdefault("state", {})
        request_id = state.setdefault("request_id", uuid4().hex)
        if not state.get("is_bug_logged"):
            log_bug(request_id, frames)
        if not is_begun:
            await bug(request_id)(scope, receive, send)
        elif not is_whole:
            raise AnswerCutShort(frames)
