import os
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).with_name("on_another_device.py")


def test_networks_on_another_device():
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(TESTS)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}

    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=280)

    assert done.returncode == 0, done.stdout
