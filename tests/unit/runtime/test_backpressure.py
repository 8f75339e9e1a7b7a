import asyncio
import pickle

from synthgen_ray.runtime.backpressure import Backpressure

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
