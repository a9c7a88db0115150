"""A contact sheet through diffusers' StableDiffusionPipeline.

usage: sample.py [MODEL] [OUT.png] [GUIDANCE] [STEPS]    MODEL defaults to work/default-model
"""
import os
import sys

import torch
from diffusers import StableDiffusionPipeline
from PIL import Image, ImageDraw

from common import WORK

# the last eight are colours and word orders that no caption in training has
PROMPTS = """red apple|cat face|dog face|a cat face on a blue background|a red apple on a yellow background|green apple
pizza|hamburger|rocket|sun|red heart|blue heart|sailboat on a light blue background|cactus on a pink background|penguin
octopus on a purple background|soccer ball|ghost on a black background|grinning face|castle|house|cherry blossom
smiling face with sunglasses on a green background|strawberry|banana|doughnut|birthday cake|fox on an orange background
panda|frog|unicorn|butterfly|rainbow|snowman|tulip|robot|alien|guitar|trophy|airplane|blue apple
an orange background with a fox|green cat face|a purple rocket|three bananas|a cat and a dog
a pizza on the moon|castle on a red background with snow""".replace("\n", "|").split("|")
COLUMNS = 8


def load_pipeline(model):
    pipeline = StableDiffusionPipeline.from_pretrained(model, safety_checker=None, torch_dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def generate(pipeline, prompts, seeds, guidance=5.0, steps=20, batch=16):
    """One picture for each prompt and seed, in bf16 products; sampling in small batches keeps memory low."""
    images = []
    for i in range(0, len(prompts), batch):
        generators = [torch.Generator().manual_seed(seed) for seed in seeds[i:i + batch]]
        with torch.autocast("cpu", torch.bfloat16):
            images += pipeline(prompts[i:i + batch], num_inference_steps=steps, guidance_scale=guidance, generator=generators).images
    return images


def sheet(images, labels, columns=COLUMNS):
    width, height = images[0].width + 8, images[0].height + 24
    out = Image.new("RGB", (columns * width, -(-len(images) // columns) * height), (235, 235, 235))
    draw = ImageDraw.Draw(out)
    for i, (image, label) in enumerate(zip(images, labels)):
        x, y = i % columns * width + 4, i // columns * height + 4
        out.paste(image, (x, y))
        draw.text((x, y + image.height + 2), label[:22], fill=(0, 0, 0))
    return out


def main():
    model, out, guidance, steps = (sys.argv[1:] + [None] * 4)[:4]
    torch.set_num_threads(int(os.environ.get("THREADS", 2)))
    images = generate(load_pipeline(model or WORK / "default-model"), PROMPTS, range(len(PROMPTS)), float(guidance or 5), int(steps or 20))
    sheet(images, PROMPTS).save(out or WORK / "contact.png")


if __name__ == "__main__":
    main()
