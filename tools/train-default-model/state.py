"""Keeps the resumable state small enough for the repository: fp16 averaged weights and the autoencoder.

usage: state.py pack | unpack    between work/checkpoints, work/vae and STATE_DIR (default: state/ beside this file)

unpack needs the pictures and the tokenizer in the work folder, and overwrites no checkpoint.
"""
import os
import sys
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from transformers import CLIPTokenizer

from common import WORK, load
from layout import build_reader
from model import Tokens, build_text, build_unet

STATE = Path(os.environ.get("STATE_DIR", Path(__file__).parent / "state"))
CHECKPOINT = WORK / "checkpoints/unet.pt"


class StateError(Exception):
    """A state that does not belong to the model of model.py, or a checkpoint in the way."""


def trained():
    """The parts that are trained, in the order of their tensors; the first two are averaged."""
    meta, _ = load()
    rows = len(Tokens(CLIPTokenizer.from_pretrained(WORK / "tokenizer"), meta).used)
    return {"unet": build_unet(), "text": build_text(rows), "read": build_reader()}


def shapes(parts):
    """Name and shape of every trained tensor."""
    return {f"{prefix}.{name}": tuple(p.shape) for prefix, module in parts.items() for name, p in module.named_parameters()}


def check(found, expected, source):
    """Raises unless both have the same names with the same shapes."""
    missing, surplus = sorted(expected.keys() - found.keys()), sorted(found.keys() - expected.keys())
    misshapen = sorted(k for k in expected.keys() & found.keys() if expected[k] != found[k])
    if not (missing or surplus or misshapen):
        return
    parts = [f"{len(names)} {what} (first: {names[0]})" for names, what in ((missing, "missing"), (surplus, "surplus")) if names]
    if misshapen:
        first = misshapen[0]
        parts.append(f"{len(misshapen)} of another shape (first: {first}, expected {expected[first]}, got {found[first]})")
    raise StateError(f"{source} is of another model than model.py builds: tensors {'; '.join(parts)}. "
                     "Take the model.py that it was made with, or train anew.")


def pack():
    state = torch.load(CHECKPOINT, map_location="cpu")
    expected = shapes(trained())
    kept = {f"{part}.{k}": v for part in ("unet", "text", "read") for k, v in state[part].items() if f"{part}.{k}" in expected}
    check({k: tuple(v.shape) for k, v in kept.items()}, expected, CHECKPOINT)
    # the averages have no names of their own: they come in the order of the parameters
    averaged = {k: v for k, v in expected.items() if not k.startswith("read.")}
    check(dict(zip(averaged, (tuple(v.shape) for v in state["ema"]), strict=True)), averaged, f"the averages in {CHECKPOINT}")
    STATE.mkdir(parents=True, exist_ok=True)
    tensors = {k: v.half().contiguous() for k, v in (kept | dict(zip(averaged, state["ema"]))).items()}
    save_file(tensors, STATE / "unet-text.safetensors", metadata={"step": str(state["step"]), "samples": str(state["samples"])})
    AutoencoderKL.from_pretrained(WORK / "vae").half().save_pretrained(STATE / "vae")
    config = STATE / "vae/config.json"
    config.write_text("\n".join(line for line in config.read_text().split("\n") if "_name_or_path" not in line))
    for path in STATE.rglob("*.safetensors"):
        path.chmod(0o644)


def unpack():
    if CHECKPOINT.exists():
        raise StateError(f"{CHECKPOINT} exists and would be overwritten: move it away, or unpack into another TRAIN_DIR.")
    source = STATE / "unet-text.safetensors"
    tensors = {k: v.float() for k, v in load_file(source).items()}
    with safe_open(source, "pt") as file:
        counts = {k: int(v) for k, v in file.metadata().items()}
    parts = trained()
    expected = shapes(parts)
    check({k: tuple(v.shape) for k, v in tensors.items()}, expected, source)
    for prefix, module in parts.items():
        module.load_state_dict({k.removeprefix(prefix + "."): v for k, v in tensors.items() if k.startswith(prefix + ".")}, strict=False)
    averages = [tensors[k] for k in expected if not k.startswith("read.")]
    CHECKPOINT.parent.mkdir(parents=True, exist_ok=True)
    torch.save({k: module.state_dict() for k, module in parts.items()} | {"ema": averages} | counts, CHECKPOINT)
    AutoencoderKL.from_pretrained(STATE / "vae").float().save_pretrained(WORK / "vae")


if __name__ == "__main__":
    commands = {"pack": pack, "unpack": unpack}
    if len(sys.argv) != 2 or sys.argv[1] not in commands:
        sys.exit(__doc__)
    try:
        commands[sys.argv[1]]()
    except StateError as error:
        sys.exit(f"state.py: {error}")
