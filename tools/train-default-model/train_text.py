"""Teaches the text encoder what pictures look like, region by region (layout.py): minutes, where the UNet takes hours.

usage: train_text.py STEPS    to work/checkpoints/text.pt; the learning rate reaches zero at the end
"""
import math
import os
import random
import sys
import time

import torch
from transformers import CLIPTokenizer

from common import WORK, load, log
from layout import TEXT_LENGTH, Layout
from model import Tokens, build_text, caption
from muon import Muon
from train_unet import encode, families_of

torch.set_num_threads(int(os.environ.get("THREADS", 2)))
BATCH, WHITE_SHARE = 64, 0.5


def main():
    steps = int(sys.argv[1])
    meta, pictures = load()
    tokens = Tokens(CLIPTokenizer.from_pretrained(WORK / "tokenizer"), meta)
    latents, which, colors = encode(meta, pictures)
    families = families_of(which, colors)
    names = list(families)
    layout = Layout(latents, list(families.values()))
    text = build_text(len(tokens.used))
    inner = {id(p) for name, p in text.named_parameters() if p.ndim > 1 and "embedding" not in name}
    parameters = list(text.parameters()) + list(layout.read.parameters())
    optimizer = Muon([p for p in parameters if id(p) in inner], [p for p in parameters if id(p) not in inner], adam_lr=3e-3)
    pools = {white: [i for i, (_, color) in enumerate(names) if (color == "white") == white] for white in (True, False)}
    total, last = 0.0, time.process_time()
    for step in range(1, steps + 1):
        chosen = [random.choice(pools[random.random() < WHITE_SHARE]) for _ in range(BATCH)]
        ids = tokens([caption(meta[names[i][0]], names[i][1]) for i in chosen], TEXT_LENGTH)
        loss = layout.loss(text(ids).last_hidden_state, ids == tokens.padding, torch.tensor(chosen))
        optimizer.zero_grad()
        loss.backward()
        fall = max(0, (step / steps - 0.3) / 0.7)
        optimizer.step(min(1, step / 50) * (0.5 * (1 + math.cos(math.pi * fall)) * 0.99 + 0.01))
        total += loss.item()
        if step % 100 == 0:
            now = time.process_time()
            log(f"text step {step} unread {total / 100:.4f} ms/sample {(now - last) / 100 / BATCH * 1e3:.2f} of processor time")
            total, last = 0.0, now
    torch.save({"text": text.state_dict(), "read": layout.read.state_dict()}, WORK / "checkpoints/text.pt")


if __name__ == "__main__":
    main()
