"""Shared by the training scripts: the pictures, the named colours, compositing, logging and the work folder."""
import json
import os
import random
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

WORK = Path(os.environ.get("TRAIN_DIR", "work"))
SIZE = 128
BF16 = torch.cpu._is_avx512_bf16_supported()  # AMX has it too; elsewhere bf16 products are slower than fp32
COLORS = {name: tuple(rgb) for name, rgb in json.loads(Path(__file__).with_name("colors.json").read_text()).items()}


def load():
    """The words of every picture and the pictures themselves: (N, 4, 128, 128) u8, premultiplied RGBA."""
    meta = json.loads((WORK / "data/meta.json").read_text())
    pixels = np.fromfile(WORK / "data/rgba.bin", np.uint8).reshape(len(meta), SIZE, SIZE, 4)
    return meta, torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()


def compose(rgba, color, scale=0.92, dx=0.0, dy=0.0):
    """One premultiplied RGBA picture, scaled and shifted, on a plain colour: (3, 128, 128) in [-1, 1].

    dx and dy are fractions of the picture's side, measured from the centred place.
    """
    side = max(8, round(SIZE * scale))
    x = rgba.float()[None] / 255
    if side != SIZE:
        x = F.interpolate(x, size=(side, side), mode="bilinear", antialias=True, align_corners=False)
    x, room = x[0], SIZE - side
    left = int(round(min(max(room / 2 + dx * SIZE, 0), room)))
    top = int(round(min(max(room / 2 + dy * SIZE, 0), room)))
    out = (torch.tensor(color, dtype=torch.float32) / 255).view(3, 1, 1).repeat(1, SIZE, SIZE)
    place = out[:, top:top + side, left:left + side]
    place.mul_(1 - x[3:]).add_(x[:3])
    return out * 2 - 1


def placement():
    """A random scale and shift: what makes two seeds give two pictures."""
    return {"scale": random.uniform(0.88, 0.95), "dx": random.uniform(-0.02, 0.02), "dy": random.uniform(-0.02, 0.02)}


def log(*words):
    """Prints a line with the time and appends it to the work folder's train.log."""
    line = time.strftime("%H:%M:%S ", time.gmtime()) + " ".join(map(str, words))
    print(line, flush=True)
    with open(WORK / "train.log", "a") as file:
        file.write(line + "\n")
