"""diffusers as it runs when nothing is done to it but channels-last memory, which is faster on CPUs."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "python"))
from torch_driver import main  # noqa: E402

main(compiled=False)
