"""Trains the AutoencoderKL: 128x128 pictures, f=8, four latent channels, bf16 convolutions on fp32 weights.

usage: train_vae.py MINUTES    resumes from work/checkpoints/vae.pt; the learning rate reaches zero at the end
"""
import math
import os
import random
import sys
import time

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL

from common import BF16, COLORS, SIZE, WORK, compose, load, log, placement
from muon import Muon

torch.set_num_threads(int(os.environ.get("THREADS", 2)))
BATCH, LR = int(os.environ.get("BATCH", 16)), float(os.environ.get("LR", 0.02))
SIGMA = 0.05  # posterior deviation in units of the latents' own, fixed: the decoder must bear small errors
SAVE_EVERY = 300  # seconds
CHECKPOINT = WORK / "checkpoints/vae.pt"


def build():
    levels = 4
    return AutoencoderKL(
        in_channels=3, out_channels=3, latent_channels=4, block_out_channels=(32, 64, 128, 128), layers_per_block=1,
        down_block_types=("DownEncoderBlock2D",) * levels, up_block_types=("UpDecoderBlock2D",) * levels,
        norm_num_groups=8, sample_size=SIZE, scaling_factor=0.18215)


def picture(meta, pictures):
    color = random.choice(list(COLORS.values())) if random.random() < 0.9 else [random.randrange(256) for _ in range(3)]
    return compose(pictures[random.randrange(len(meta))], color, **placement())


def reconstruction_loss(y, x):
    """L1 and squared error of pixels, L1 of their differences at two scales."""
    loss = F.l1_loss(y, x) + 2 * F.mse_loss(y, x)
    for factor in (1, 2):
        a, b = (F.avg_pool2d(y, factor), F.avg_pool2d(x, factor)) if factor > 1 else (y, x)
        loss = loss + 0.5 * (F.l1_loss(a.diff(dim=-1), b.diff(dim=-1)) + F.l1_loss(a.diff(dim=-2), b.diff(dim=-2)))
    return loss


@torch.no_grad()
def psnr(vae, pictures, every=16):
    """Mean PSNR in dB of reconstructions on white."""
    x = torch.stack([compose(p, COLORS["white"]) for p in pictures[::every]])
    with torch.autocast("cpu", torch.bfloat16, enabled=BF16):
        y = torch.cat([vae.decode(vae.encode(v.to(memory_format=torch.channels_last)).latent_dist.mean).sample for v in x.split(16)])
    error = (y.float().clamp(-1, 1) - x).square().mean(dim=(1, 2, 3))
    return (10 * torch.log10(4 / error)).mean().item()


@torch.no_grad()
def normalize(vae, draw):
    """Folds into the 1x1 convolutions what gives each latent channel mean 0 and deviation 1 / scaling_factor."""
    z = torch.cat([vae.encode(torch.stack([draw() for _ in range(32)])).latent_dist.mean for _ in range(16)])
    mean, deviation = z.mean(dim=(0, 2, 3)), z.std(dim=(0, 2, 3))
    factor = deviation * vae.config.scaling_factor
    q, p = vae.quant_conv, vae.post_quant_conv
    q.weight[:4] /= factor.view(4, 1, 1, 1)
    q.bias[:4] = (q.bias[:4] - mean) / factor
    q.weight[4:] = 0
    q.bias[4:] = 2 * math.log(SIGMA / vae.config.scaling_factor)  # log-variance of the noise used in training
    p.bias += p.weight[:, :, 0, 0] @ mean
    p.weight *= factor.view(1, 4, 1, 1)
    log("latent mean", mean.tolist(), "deviation", deviation.tolist())


def main():
    minutes = float(sys.argv[1])
    (WORK / "checkpoints").mkdir(parents=True, exist_ok=True)
    meta, pictures = load()
    vae = build().to(memory_format=torch.channels_last)
    edge = (vae.encoder.conv_in, vae.encoder.conv_out, vae.decoder.conv_in, vae.decoder.conv_out, vae.quant_conv, vae.post_quant_conv)
    narrow = {id(p) for m in edge for p in m.parameters()}
    matrices = [p for p in vae.parameters() if p.ndim > 1 and id(p) not in narrow]
    chosen = {id(p) for p in matrices}
    optimizer = Muon(matrices, [p for p in vae.parameters() if id(p) not in chosen], lr=LR)
    step = 0
    if CHECKPOINT.exists():
        state = torch.load(CHECKPOINT)
        vae.load_state_dict(state["vae"])
        optimizer.load_state_dict(state["optimizer"])
        step = state["step"]
        log("vae resumed at step", step)
    log("vae parameters", sum(p.numel() for p in vae.parameters()))

    def save():
        torch.save({"vae": vae.state_dict(), "optimizer": optimizer.state_dict(), "step": step}, CHECKPOINT.with_suffix(".tmp"))
        CHECKPOINT.with_suffix(".tmp").replace(CHECKPOINT)

    start = last = saved = time.time()
    total, begun = 0.0, step
    while (done := (time.time() - start) / (60 * minutes)) < 1:
        x = torch.stack([picture(meta, pictures) for _ in range(BATCH)]).to(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=BF16):
            mean = vae.encode(x).latent_dist.mean.float()
            y = vae.decode(mean + SIGMA * mean.detach().std() * torch.randn_like(mean)).sample.float()
        # the last term holds the scale near 1 and pays for needless magnitude
        loss = reconstruction_loss(y, x) + 1e-3 * mean.square().mean()
        optimizer.zero_grad()
        loss.backward()
        warm = min(1, (step - begun + 1) / 30)
        optimizer.step(warm * (1 if done < 0.3 else 0.5 * (1 + math.cos(math.pi * (done - 0.3) / 0.7)) * 0.99 + 0.01))
        step += 1
        total += loss.item()
        if step % 25 == 0:
            now = time.time()
            log(f"vae step {step} done {done:.2f} loss {total / 25:.4f} ms/picture {(now - last) / 25 / BATCH * 1e3:.1f}"
                + (f" psnr {psnr(vae, pictures):.2f}" if step % 100 == 0 else ""))
            total, last = 0.0, time.time()
        if time.time() - saved > SAVE_EVERY:
            save()
            saved = time.time()
    save()
    normalize(vae, lambda: picture(meta, pictures))
    vae.save_pretrained(WORK / "vae")
    log(f"vae done: {step} steps, psnr {psnr(vae, pictures, 4):.2f}")


if __name__ == "__main__":
    main()
