"""Writes the model in diffusers layout, fp16: the averaged weights, the autoencoder, scheduler, tokenizer and index.

usage: export.py    from work/checkpoints/unet.pt and work/vae to work/default-model
"""
import copy
import json
import shutil

import torch
from diffusers import AutoencoderKL
from safetensors.torch import save_file
from transformers import CLIPTokenizer

from common import WORK, load
from model import Tokens, build_scheduler, build_text, build_unet

OUT = WORK / "default-model"
INDEX = {
    "_class_name": "StableDiffusionPipeline", "_diffusers_version": "0.35.0", "feature_extractor": [None, None],
    "image_encoder": [None, None], "requires_safety_checker": False, "safety_checker": [None, None],
    "scheduler": ["diffusers", "DDIMScheduler"], "text_encoder": ["transformers", "CLIPTextModel"],
    "tokenizer": ["transformers", "CLIPTokenizer"], "unet": ["diffusers", "UNet2DConditionModel"],
    "vae": ["diffusers", "AutoencoderKL"],
}


@torch.no_grad()
def export(unet, text, ema, used):
    """`text` has one row for each token in `used`; the exported table has all rows, the unseen ones zero."""
    unet, text = copy.deepcopy(unet), copy.deepcopy(text)
    for p, e in zip(list(unet.parameters()) + list(text.parameters()), ema):
        p.copy_(e)
    whole = build_text()
    state = text.state_dict()
    name = next(k for k in state if "token_embedding" in k)
    table = torch.zeros_like(whole.state_dict()[name])
    table[used] = state[name]
    whole.load_state_dict(state | {name: table})

    OUT.mkdir(parents=True, exist_ok=True)
    unet.half().to(memory_format=torch.contiguous_format).save_pretrained(OUT / "unet")
    vae = AutoencoderKL.from_pretrained(WORK / "vae")
    vae.half().to(memory_format=torch.contiguous_format).save_pretrained(OUT / "vae")
    whole.half().save_pretrained(OUT / "text_encoder")
    # transformers 5 drops the prefix that Stable Diffusion loaders expect
    prefixed = {k if k.startswith("text_model.") else "text_model." + k: v.contiguous() for k, v in whole.state_dict().items() if "position_ids" not in k}
    save_file(prefixed, OUT / "text_encoder/model.safetensors", metadata={"format": "pt"})
    build_scheduler().save_pretrained(OUT / "scheduler")
    (OUT / "model_index.json").write_text(json.dumps(INDEX, indent=2) + "\n")
    shutil.copytree(WORK / "tokenizer", OUT / "tokenizer", dirs_exist_ok=True)
    config = OUT / "vae/config.json"
    config.write_text(json.dumps({k: v for k, v in json.loads(config.read_text()).items() if k != "_name_or_path"}, indent=2) + "\n")
    for path in OUT.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def main():
    meta, _ = load()
    tokens = Tokens(CLIPTokenizer.from_pretrained(WORK / "tokenizer"), meta)
    unet, text = build_unet(), build_text(len(tokens.used))
    path = WORK / "checkpoints/unet.pt"
    ema = torch.load(path)["ema"] if path.exists() else [p.detach() for p in list(unet.parameters()) + list(text.parameters())]
    export(unet, text, ema, tokens.used)


if __name__ == "__main__":
    main()
