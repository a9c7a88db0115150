"""Trains text encoder and UNet on cached latents: v-prediction to zero terminal SNR, bf16 products where they are fast.

usage: train_unet.py MINUTES    resumes from work/checkpoints/unet.pt; the learning rate reaches zero at the end

The text encoder begins as train_text.py left it, and is held to what it learnt there by a small share of the loss.
"""
import math
import os
import random
import sys
import time

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from transformers import CLIPTokenizer

from common import BF16, COLORS, WORK, compose, load, log, placement
from export import export
from layout import TEXT_LENGTH, Layout
from model import FAVORITES, NAMED, Tokens, build_scheduler, build_text, build_unet, caption, held_out
from muon import Muon

torch.set_num_threads(int(os.environ.get("THREADS", 2)))
BATCH, LR = int(os.environ.get("BATCH", 32)), float(os.environ.get("LR", 0.02))
FAVORITE_SHARE, WHITE_SHARE, EMPTY_SHARE = float(os.environ.get("FAVORITE_SHARE", 0.25)), 0.5, 0.06
WHITE_PLACES = 4
LAYOUT_WEIGHT = 0.3
ADAM_LR, TEXT_RATE = 2e-3, 0.2  # the text encoder learns slowly: what it has learnt would not outlive the full rate
CHOICE_SHARE, CHOICE_FROM = 0.5, 850  # this share of the timesteps lies where the noise hides which object it is
DECAY_FROM = float(os.environ.get("DECAY_FROM", 0.4))  # the share of the run after which the learning rate falls
SAVE_EVERY = 420  # seconds
CHECKPOINT = WORK / "checkpoints/unet.pt"


@torch.no_grad()
def encode(meta, pictures):
    """Latents of every picture, four places on white and one on each other colour but the held-out pairs."""
    path = WORK / "checkpoints/latents.pt"
    if path.exists():
        return torch.load(path)
    vae = AutoencoderKL.from_pretrained(WORK / "vae").eval().to(memory_format=torch.channels_last)
    latents, which, colors = [], [], []
    for i, words in enumerate(meta):
        own = ["white"] * WHITE_PLACES + [c for c in NAMED if not held_out(words["key"], c)]
        x = torch.stack([compose(pictures[i], COLORS[c], **placement()) for c in own]).to(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=BF16):
            latents.append(vae.encode(x).latent_dist.mean.half() * vae.config.scaling_factor)
        which += [i] * len(own)
        colors += own
        if i % 200 == 0:
            log("encoded", i)
    result = torch.cat(latents), which, colors
    torch.save(result, path)
    return result


def families_of(which, colors):
    """The rows of the latents that share a picture and a colour."""
    families = {}
    for j, family in enumerate(zip(which, colors)):
        families.setdefault(family, []).append(j)
    return families


def timesteps(count):
    """Stratified draws, half of them where the object is chosen; the rest even over all others."""
    u = (torch.arange(count) + torch.rand(count)) / count
    choice = u < CHOICE_SHARE
    t = torch.where(choice, CHOICE_FROM + (1000 - CHOICE_FROM) * u / CHOICE_SHARE, CHOICE_FROM * (u - CHOICE_SHARE) / (1 - CHOICE_SHARE))
    return t.long().clamp(0, 999)[torch.randperm(count)]


def expected(xt, siblings, present, a):
    """The mean of x0 given xt over the latents that share its picture and colour, all equally likely beforehand:
    the same minimum as the drawn x0, with less variance (Xu et al. 2023, stable target field). `siblings` is
    (batch, places, 4, 16, 16), `present` marks those that exist, `a` is the cumulative alpha."""
    distance = (xt[:, None] - a.sqrt()[:, None] * siblings).square().sum(dim=(2, 3, 4))
    score = -distance / (2 * (1 - a.view(-1, 1)).clamp(min=1e-4))
    weight = score.masked_fill(~present, -math.inf).softmax(dim=1)
    return (weight.view(*weight.shape, 1, 1, 1) * siblings).sum(dim=1)


def main():
    minutes = float(sys.argv[1])
    (WORK / "checkpoints").mkdir(parents=True, exist_ok=True)
    meta, pictures = load()
    assert FAVORITES <= {w["key"] for w in meta}
    tokens = Tokens(CLIPTokenizer.from_pretrained(WORK / "tokenizer"), meta)
    latents, which, colors = encode(meta, pictures)
    families = families_of(which, colors)
    log("latents", tuple(latents.shape), "deviation", latents.float().std().item(), "tokens", len(tokens.used))
    torch.manual_seed(int(time.time()))
    unet, text = build_unet().to(memory_format=torch.channels_last), build_text(len(tokens.used))
    layout = Layout(latents, list(families.values())).requires_grad_(False)
    number = {family: i for i, family in enumerate(families)}
    alphas = build_scheduler().alphas_cumprod.float()

    parameters = list(unet.parameters()) + list(text.parameters())
    narrow = {id(p) for m in (unet.conv_in, unet.conv_out, text.get_input_embeddings()) for p in m.parameters()}
    narrow |= {id(p) for name, p in text.named_parameters() if "position_embedding" in name}
    matrices = {id(p) for p in parameters if p.ndim > 1 and id(p) not in narrow}
    optimizers = [
        Muon([p for p in part.parameters() if id(p) in matrices], [p for p in part.parameters() if id(p) not in matrices],
             lr=LR * share, adam_lr=ADAM_LR * share)
        for part, share in ((unet, 1), (text, TEXT_RATE))]
    state = torch.load(CHECKPOINT if CHECKPOINT.exists() else WORK / "checkpoints/text.pt")
    text.load_state_dict(state["text"])
    layout.read.load_state_dict(state["read"])
    if "unet" in state:
        unet.load_state_dict(state["unet"])
        for optimizer, saved in zip(optimizers, state.get("optimizers", ())):
            optimizer.load_state_dict(saved)
        ema, step, samples = state["ema"], state["step"], state["samples"]
        log("unet resumed at step", step)
    else:
        ema, step, samples = [p.detach().clone() for p in parameters], 0, 0
    log("parameters: unet", sum(p.numel() for p in unet.parameters()), "text", sum(p.numel() for p in text.parameters()))

    padded = [families[family] + [0] * (WHITE_PLACES - len(families[family])) for family in zip(which, colors)]
    siblings = torch.tensor(padded)
    present = torch.tensor([[k < len(families[family]) for k in range(WHITE_PLACES)] for family in zip(which, colors)])
    pools = {}
    for j, (i, color) in enumerate(zip(which, colors)):
        pools.setdefault((meta[i]["key"] in FAVORITES, color == "white"), []).append(j)

    def save():
        state = {"unet": unet.state_dict(), "text": text.state_dict(), "read": layout.read.state_dict()}
        state |= {"ema": ema, "step": step, "samples": samples}
        torch.save(state | {"optimizers": [o.state_dict() for o in optimizers]}, CHECKPOINT.with_suffix(".tmp"))
        CHECKPOINT.with_suffix(".tmp").replace(CHECKPOINT)
        export(unet, text, ema, tokens.used)

    start = last = saved = time.time()
    total, begun, counted = torch.zeros(3), step, samples
    while (done := (time.time() - start) / (60 * minutes)) < 1:
        chosen = [random.choice(pools[random.random() < FAVORITE_SHARE, random.random() < WHITE_SHARE]) for _ in range(BATCH)]
        texts = ["" if random.random() < EMPTY_SHARE else caption(meta[which[j]], colors[j]) for j in chosen]
        ids = tokens(texts, TEXT_LENGTH)
        x0 = latents[chosen].float()
        t = timesteps(BATCH)
        a = alphas[t].view(-1, 1, 1, 1)
        noise = torch.randn_like(x0)
        xt = a.sqrt() * x0 + (1 - a).sqrt() * noise
        x0 = expected(xt, latents[siblings[chosen]].float(), present[chosen], a)
        v = (a.sqrt() * xt - x0) / (1 - a).sqrt()
        xt = xt.to(memory_format=torch.channels_last)
        with torch.autocast("cpu", torch.bfloat16, enabled=BF16):
            states = text(ids).last_hidden_state
            output = unet(xt, t, states).sample
        error = F.mse_loss(output.float(), v, reduction="none").mean(dim=(1, 2, 3))
        named = torch.tensor([bool(words) for words in texts])
        family = torch.tensor([number[which[j], colors[j]] for j in chosen])
        unread = layout.loss(states.float(), (ids == tokens.padding) & named[:, None], family)
        for optimizer in optimizers:
            optimizer.zero_grad()
        (error.mean() + LAYOUT_WEIGHT * unread).backward()
        warm = min(1, (step - begun + 1) / 60)
        fall = 0 if done < DECAY_FROM else (done - DECAY_FROM) / (1 - DECAY_FROM)
        for optimizer in optimizers:
            optimizer.step(warm * (0.5 * (1 + math.cos(math.pi * fall)) * 0.99 + 0.01))
        step += 1
        samples += BATCH
        with torch.no_grad():
            torch._foreach_lerp_(ema, [p.data for p in parameters], 1 - min(0.998, (1 + step) / (10 + step)))
        high = t > 900
        total += torch.stack([error.mean(), error[high].mean(), unread]).detach()
        if step % 25 == 0:
            now = time.time()
            log(f"unet step {step} done {done:.2f} loss {total[0] / 25:.4f} above 900 {total[1] / 25:.4f}"
                f" unread {total[2] / 25:.4f}"
                f" ms/sample {(now - last) / (samples - counted) * 1e3:.1f}")
            total, last, counted = torch.zeros(3), now, samples
        if time.time() - saved > SAVE_EVERY:
            save()
            saved = time.time()
    save()
    log(f"unet done: {step} steps, {samples} samples")


if __name__ == "__main__":
    main()
