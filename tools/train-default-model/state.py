"""Keeps the resumable state small enough for the repository: fp16 averaged weights and the autoencoder.

usage: state.py pack | unpack    between work/checkpoints, work/vae and state/
"""
import sys
from pathlib import Path

import torch
from diffusers import AutoencoderKL
from safetensors.torch import load_file, save_file

from common import WORK, load
from model import Tokens, build_text, build_unet
from transformers import CLIPTokenizer

STATE = Path(__file__).parent / "state"


def names(module, prefix):
    return [f"{prefix}.{name}" for name, _ in module.named_parameters()]


def pack():
    state = torch.load(WORK / "checkpoints/unet.pt")
    keys = names(build_unet(), "unet") + names(build_text(len(next(v for k, v in state["text"].items() if "token_embedding" in k))), "text")
    assert len(keys) == len(state["ema"])
    STATE.mkdir(exist_ok=True)
    tensors = {k: v.half().contiguous() for k, v in zip(keys, state["ema"])}
    save_file(tensors, STATE / "unet-text.safetensors", metadata={"step": str(state["step"]), "samples": str(state["samples"])})
    AutoencoderKL.from_pretrained(WORK / "vae").half().save_pretrained(STATE / "vae")
    config = STATE / "vae/config.json"
    config.write_text("\n".join(line for line in config.read_text().split("\n") if "_name_or_path" not in line))
    for path in STATE.rglob("*.safetensors"):
        path.chmod(0o644)


def unpack():
    from safetensors import safe_open
    meta, _ = load()
    tensors = {k: v.float() for k, v in load_file(STATE / "unet-text.safetensors").items()}
    with safe_open(STATE / "unet-text.safetensors", "pt") as file:
        counts = {k: int(v) for k, v in file.metadata().items()}
    unet, text = build_unet(), build_text(len(Tokens(CLIPTokenizer.from_pretrained(WORK / "tokenizer"), meta).used))
    parts = {}
    for prefix, module in (("unet", unet), ("text", text)):
        own = {k.removeprefix(prefix + "."): v for k, v in tensors.items() if k.startswith(prefix + ".")}
        module.load_state_dict(own, strict=False)
        parts[prefix] = module.state_dict()
    ema = [tensors[k] for k in names(unet, "unet") + names(text, "text")]
    (WORK / "checkpoints").mkdir(parents=True, exist_ok=True)
    torch.save(parts | {"ema": ema} | counts, WORK / "checkpoints/unet.pt")
    AutoencoderKL.from_pretrained(STATE / "vae").float().save_pretrained(WORK / "vae")


if __name__ == "__main__":
    {"pack": pack, "unpack": unpack}[sys.argv[1]]()
