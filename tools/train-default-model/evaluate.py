"""The acceptance figures of the default model, sampled with diffusers; the last line is JSON.

usage: evaluate.py [MODEL] [NAMES] [PAIRS]    work/default-model, 200 names and 100 held-out pairs

psnr        mean over all pictures, on white, scale 0.92, of 10 log10(4 / mse) in dB, values in [-1, 1]
top1, top5  share of NAMES (every 973/NAMES-th in meta.json's order, prompt = the name, seed = its index) whose picture's
            nearest original is the named one, or is among the nearest five. Feature: 32x32 area means in Lab / 100 and
            half the absolute differences of L to the right and below; distance: the least mean square over shifts of
            -2..2 of 32 pixels each way, originals on white at scale 0.92.
background  share of PAIRS (held-out object and colour) whose background is right: mean Lab distance (CIE76, D65) to
            the named colour under 12 over the pixels of the outermost 4-pixel frame, which no placement covers much
seeds       mean over 8 names of the least pairwise RMS pixel difference (0..255) among eight seeds
"""
import json
import os
import sys

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL

from common import COLORS, WORK, compose, load
from model import NAMED, held_out
from sample import generate, load_pipeline

SHIFT, GRID, FRAME = 2, 32, 4


def lab(rgb):
    """sRGB (N, 3, H, W) in 0..1 to CIE Lab, D65."""
    linear = torch.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    matrix = torch.tensor([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = torch.einsum("ij,njhw->nihw", matrix, linear) / torch.tensor([0.95047, 1.0, 1.08883]).view(1, 3, 1, 1)
    f = torch.where(xyz > 0.008856, xyz ** (1 / 3), 7.787 * xyz + 16 / 116)
    x, y, z = f.unbind(1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], dim=1)


def features(rgb):
    color = lab(F.adaptive_avg_pool2d(rgb, GRID)) / 100
    light = color[:, :1]
    right = F.pad(light.diff(dim=-1).abs(), (0, 1)) / 2
    below = F.pad(light.diff(dim=-2).abs(), (0, 0, 0, 1)) / 2
    return torch.cat([color, right, below], dim=1)


def distances(picture, originals):
    """The distance of one feature map to each original, the least over small shifts of the picture."""
    padded = F.pad(picture[None], (SHIFT,) * 4, mode="replicate")
    each = [(padded[:, :, y:y + GRID, x:x + GRID] - originals).square().mean(dim=(1, 2, 3))
            for y in range(2 * SHIFT + 1) for x in range(2 * SHIFT + 1)]
    return torch.stack(each).amin(dim=0)


def as_tensor(images):
    return torch.stack([torch.from_numpy(np.asarray(image)).permute(2, 0, 1).float() / 255 for image in images])


@torch.no_grad()
def reconstruction(model, x):
    vae = AutoencoderKL.from_pretrained(model, subfolder="vae", torch_dtype=torch.float32)
    with torch.autocast("cpu", torch.bfloat16):
        y = torch.cat([vae.decode(vae.encode(v).latent_dist.mean).sample.float() for v in x.split(16)])
    return (10 * torch.log10(4 / (y.clamp(-1, 1) - x).square().mean(dim=(1, 2, 3)))).mean().item()


def main():
    model, names, pairs = (sys.argv[1:] + [None] * 3)[:3]
    model, names, pairs = model or WORK / "default-model", int(names or 200), int(pairs or 100)
    torch.set_num_threads(int(os.environ.get("THREADS", 2)))
    meta, pictures = load()
    white = torch.stack([compose(p, COLORS["white"]) for p in pictures])
    figures = {"psnr": round(reconstruction(model, white), 2)}
    print(figures, flush=True)

    pipeline, originals = load_pipeline(model), features(white / 2 + 0.5)
    chosen = [i * len(meta) // names for i in range(names)]
    found = as_tensor(generate(pipeline, [meta[i]["name"] for i in chosen], chosen))
    ranks = []
    for i, feature in zip(chosen, features(found)):
        d = distances(feature, originals)
        ranks.append((d < d[i]).sum().item())
    figures |= {"top1": round(np.mean([r < 1 for r in ranks]), 3), "top5": round(np.mean([r < 5 for r in ranks]), 3), "medianRank": int(np.median(ranks))}
    print(figures, flush=True)

    all_pairs = [(w, c) for w in meta for c in NAMED if held_out(w["key"], c)]
    asked = [all_pairs[i * len(all_pairs) // pairs] for i in range(pairs)]
    found = lab(as_tensor(generate(pipeline, [f"{w['name']} on a {c} background" for w, c in asked], range(pairs))))
    inside = torch.zeros(found.shape[-2:], dtype=torch.bool)
    inside[FRAME:-FRAME, FRAME:-FRAME] = True
    right = []
    for picture, (_, color) in zip(found, asked):
        target = lab(torch.tensor(COLORS[color]).view(1, 3, 1, 1) / 255)[0]
        right.append((picture - target).square().sum(dim=0).sqrt()[~inside].mean().item() < 12)
    figures["background"] = round(np.mean(right), 3)
    print(figures, flush=True)

    least = []
    for i in range(0, 8 if names >= 100 else 2):
        found = as_tensor(generate(pipeline, [meta[i * 100]["name"]] * 8, range(8))).flatten(1) * 255
        apart = torch.cdist(found, found) / found.shape[1] ** 0.5 + torch.eye(8) * 1e9
        least.append(apart.min().item())
    figures["seeds"] = round(np.mean(least), 1)
    print(json.dumps({k: float(v) for k, v in figures.items()}))


if __name__ == "__main__":
    main()
