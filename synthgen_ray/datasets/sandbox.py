"""The processes in which uploads are converted: `python -m synthgen_ray.datasets.sandbox`.

The first one imports what a conversion needs, and neither Ray nor the service. For each conversation that it is handed
over its standard input, a socket, it forks a keeper, and that one the process that converts. There, where all rights
were given up, is done what an evil file may do, and it dies with it.

A keeper is sent one `Conversion`, its length in front. It answers with the `Outcome` of its process and then with that
one's exit code, which it also brings about: as soon as the other side says that it will send no more.
"""

import contextlib
import errno
import os
import resource
import select
import signal
import socket
import sys

import pyarrow as pa

from synthgen_ray.datasets.limits import UploadLimits, too_complex
from synthgen_ray.datasets.messages import (
    CONVERSION,
    EXIT_CODE,
    LENGTH,
    OUTCOME,
    REFUSALS,
    Conversion,
    Outcome,
    Refusal,
)
from synthgen_ray.datasets.reading import convert
from synthgen_ray.domain.errors import (
    SynthGenError,
    artifacts_away,
    frames_of,
    insufficient_storage,
    is_disk_away,
    is_disk_full,
)

OPEN_FILES = 64
THREADS = 2
SPARE_BYTES = 64 * 2**20  # of a file: Parquet's own over what was decoded


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody here waits for keepers
    orders = socket.socket(fileno=sys.stdin.fileno())
    while handed := socket.recv_fds(orders, 1, 1)[1]:
        if os.fork() == 0:
            orders.close()
            _keep(socket.socket(fileno=handed[0]))
            os._exit(0)
        os.close(handed[0])


def _keep(conversation: socket.socket) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    request = _received(conversation)
    if request is None:
        return
    life, held = os.pipe()  # whose reader sees when nobody holds its other end any more
    process = os.fork()
    if process == 0:
        os.setsid()
        _answer(CONVERSION.validate_json(request), conversation)
        # A reader that was left half way has threads, on which an orderly end may abort.
        os._exit(0)
    os.close(held)
    if life not in select.select([life, conversation.fileno()], [], [])[0]:
        os.kill(process, signal.SIGKILL)
    status = os.waitpid(process, 0)[1]
    with contextlib.suppress(BrokenPipeError):
        conversation.sendall(EXIT_CODE.pack(os.waitstatus_to_exitcode(status)))


def _received(conversation: socket.socket) -> bytes | None:
    with conversation.makefile("rb") as stream:
        length = stream.read(LENGTH.size)
        request = stream.read(*LENGTH.unpack(length)) if len(length) == LENGTH.size else b""
        return request or None


def _answer(conversion: Conversion, conversation: socket.socket) -> None:
    _give_up_rights(conversion.limits)
    conversation.sendall(OUTCOME.dump_json(_outcome(conversion)))


def _give_up_rights(limits: UploadLimits) -> None:
    os.umask(0o077)
    pa.set_cpu_count(THREADS)
    pa.set_io_thread_count(THREADS)
    # Over the soft limit of computing it dies of SIGXCPU, which tells why.
    resource.setrlimit(resource.RLIMIT_CPU, (limits.max_cpu_seconds, limits.max_cpu_seconds + 1))
    for kind, most in (
        (resource.RLIMIT_AS, limits.max_memory_bytes),
        (resource.RLIMIT_FSIZE, limits.max_decoded_bytes + SPARE_BYTES),
        (resource.RLIMIT_NOFILE, OPEN_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (most, most))


def _outcome(conversion: Conversion) -> Outcome:
    try:
        job = conversion
        return Outcome(convert(job.source, job.filename, job.target, job.limits, job.correction, job.formats))
    except SynthGenError as error:
        if type(error).__name__ in REFUSALS:
            return Outcome(refusal=Refusal.of(error))
        return Outcome(unexpected=frames_of(error))
    except MemoryError:
        return Outcome(refusal=Refusal.of(too_complex(f"{conversion.limits.max_memory_bytes:,} bytes of memory")))
    except OSError as error:
        if is_disk_full(error):
            return Outcome(refusal=Refusal.of(insufficient_storage()))
        if is_disk_away(error):
            return Outcome(refusal=Refusal.of(artifacts_away()))
        if error.errno == errno.EFBIG:
            return Outcome(refusal=Refusal.of(too_complex("a file of the size that is allowed")))
        return Outcome(unexpected=frames_of(error))
    except Exception as error:  # noqa: BLE001
        return Outcome(unexpected=frames_of(error))


if __name__ == "__main__":
    main()
