"""diffusers with its models compiled by torch.compile (the inductor back end writes C++)."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "python"))
from torch_driver import main  # noqa: E402

main(compiled=True)
