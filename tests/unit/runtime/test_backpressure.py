import asyncio
import pickle

from synthgen_ray.runtime.backpressure import MAX_PAGES, Backpressure, Room

KIB = 1024
BLOCK = {"type": "http.request", "body": b"x" * KIB, "more_body": True}


async def a_block() -> dict:
    return dict(BLOCK)


async def ignore(message: dict) -> None:
    pass


async def test_the_next_message_waits_until_earlier_ones_have_left():
    async def app(scope, receive, send):
        kept = [await receive() for _ in range(3)]  # the third is over the limit of two

        fourth = asyncio.ensure_future(receive())
        await asyncio.sleep(0)
        assert not fourth.done()

        sent = pickle.dumps(kept)
        kept.clear()
        assert (await fourth)["body"] == BLOCK["body"]
        arrived = pickle.loads(sent)
        assert arrived == [BLOCK] * 3
        assert {type(message) for message in arrived} == {dict}
        finished.append(True)

    finished: list[bool] = []
    await Backpressure(app, max_bytes=2 * KIB)({"type": "http"}, a_block, ignore)

    assert finished


async def test_pages_that_nobody_reads_keep_nobody_out_of_the_api():
    let_in: list[str] = []
    is_read = asyncio.Event()
    refused: list[str] = []

    async def app(scope, receive, send):
        let_in.append(scope["path"])
        await is_read.wait()

    room = Room(app, lambda: refused.append("busy"))

    def asked(path: str) -> asyncio.Task[None]:
        scope = {"type": "http", "method": "GET", "path": path, "headers": [], "state": {"request_id": "x"}}
        return asyncio.create_task(room(scope, a_block, ignore))

    asking = [asked(path) for path in [*["/"] * (MAX_PAGES + 1), "/api/projects", "/healthz"]]
    await asyncio.sleep(0.1)
    is_read.set()
    await asyncio.gather(*asking)

    assert let_in == [*["/"] * MAX_PAGES, "/api/projects", "/healthz"]
    assert refused == ["busy"]

    await asked("/")
    assert let_in[-1] == "/"
