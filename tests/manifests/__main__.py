"""`python -m tests.manifests`: says of each file that it is sound, or what is wrong with it."""

import sys
from pathlib import Path

from tests.manifests.checks import CHECKS
from tests.manifests.unsound import Unsound

ROOT = Path(__file__).parents[2]


def main() -> None:
    faults = 0
    for pattern, check in CHECKS.items():
        for file in sorted(ROOT.glob(pattern)):
            try:
                check(file.read_text())
            except Unsound as error:
                faults += 1
                print(f"{file.relative_to(ROOT)}: {error}", file=sys.stderr)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
