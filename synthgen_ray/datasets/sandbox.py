"""The process in which an upload is converted: `python -m synthgen_ray.datasets.sandbox`.

It reads a `Conversion` from standard input, gives up its rights, and writes an `Outcome` to standard
output. It knows neither Ray nor the service: what an evil file may do is done here, and dies with it.
"""

import errno
import os
import resource
import sys

import pyarrow as pa

from synthgen_ray.datasets.limits import UploadLimits, too_complex
from synthgen_ray.datasets.messages import CONVERSION, OUTCOME, REFUSALS, Conversion, Outcome, Refusal
from synthgen_ray.datasets.reading import convert
from synthgen_ray.domain.errors import SynthGenError, frames_of, insufficient_storage

OPEN_FILES = 64
THREADS = 2
SPARE_BYTES = 64 * 2**20  # of a file: Parquet's own over what was decoded


def main() -> None:
    conversion = CONVERSION.validate_json(sys.stdin.buffer.read())
    _give_up_rights(conversion.limits)
    sys.stdout.buffer.write(OUTCOME.dump_json(_outcome(conversion)))
    sys.stdout.buffer.flush()
    # A reader that was left half way has threads, on which an orderly end may abort.
    os._exit(0)


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
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return Outcome(refusal=Refusal.of(insufficient_storage()))
        if error.errno == errno.EFBIG:
            return Outcome(refusal=Refusal.of(too_complex("a file of the size that is allowed")))
        return Outcome(unexpected=frames_of(error))
    except Exception as error:  # noqa: BLE001
        return Outcome(unexpected=frames_of(error))


if __name__ == "__main__":
    main()
