import argparse

from tests.unit.synthesizers.golden import write

parser = argparse.ArgumentParser(prog="python -m tests.unit.synthesizers.golden")
parser.add_argument("--anew", action="store_true", help="of all types, not only of those that have none")
write(parser.parse_args().anew)
