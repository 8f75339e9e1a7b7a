import argparse

from tests.unit.synthesizers.golden import write

parser = argparse.ArgumentParser(prog="python -m tests.unit.synthesizers.golden")
parser.add_argument("--anew", action="store_true", help="all of them, not only those that are new")
write(parser.parse_args().anew)
