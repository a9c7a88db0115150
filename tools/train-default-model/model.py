"""The default model's sizes and schedule, its captions, and its tokens: what training, export and evaluation share.

19.64 M parameters in all, 39.3 MB in fp16. Few layers, none narrower than 96, suit matrix units and caches alike.
"""
import random
import zlib

import torch
from diffusers import DDIMScheduler, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

from common import COLORS

TEXT_WIDTH, TEXT_LAYERS, TEXT_INNER = 96, 3, 512
VOCABULARY = 49408
NAMED = [c for c in COLORS if c != "white"]

# Shown more often than the others, so that the model's best-known objects are the ones people try first.
FAVORITES = set("""red-apple green-apple banana cherries grapes lemon strawberry watermelon pineapple peach tomato
carrot broccoli ear-of-corn mushroom pizza hamburger french-fries hot-dog taco cookie doughnut birthday-cake ice-cream
soft-ice-cream candy lollipop hot-beverage beer-mug wine-glass egg cheese-wedge bread cat-face dog-face cat dog fox
rabbit-face bear panda lion tiger-face pig-face cow-face frog monkey-face mouse-face koala penguin chicken owl duck fish
tropical-fish octopus crab whale dolphin turtle snail butterfly honeybee lady-beetle unicorn dragon-face t-rex sun
crescent-moon star cloud rainbow snowflake snowman fire droplet rose sunflower tulip cherry-blossom cactus palm-tree
evergreen-tree deciduous-tree four-leaf-clover rocket airplane automobile bus bicycle sailboat train house castle
mountain red-heart blue-heart green-heart yellow-heart purple-heart grinning-face smiling-face-with-sunglasses
smiling-face-with-heart-eyes face-with-tears-of-joy thinking-face crying-face angry-face sleeping-face robot ghost alien
skull jack-o-lantern christmas-tree wrapped-gift balloon soccer-ball basketball guitar trophy crown light-bulb bomb key
umbrella camera gem-stone""".split())


def build_unet():
    """Three levels, 16x16 to 4x4: the coarsest, nearly free, is where a name becomes a whole layout."""
    return UNet2DConditionModel(
        sample_size=16, in_channels=4, out_channels=4, block_out_channels=(96, 160, 192), layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=TEXT_WIDTH, attention_head_dim=(3, 5, 6), norm_num_groups=32)


def build_text(vocabulary=VOCABULARY):
    """The text encoder; training passes the number of tokens in use, the export the whole vocabulary."""
    return CLIPTextModel(CLIPTextConfig(
        vocab_size=vocabulary, hidden_size=TEXT_WIDTH, intermediate_size=TEXT_INNER, projection_dim=TEXT_WIDTH,
        num_hidden_layers=TEXT_LAYERS, num_attention_heads=3, max_position_embeddings=77, hidden_act="quick_gelu",
        bos_token_id=VOCABULARY - 2, eos_token_id=VOCABULARY - 1, pad_token_id=VOCABULARY - 1))


def build_scheduler():
    return DDIMScheduler(
        num_train_timesteps=1000, beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False,
        set_alpha_to_one=True, steps_offset=1, prediction_type="v_prediction", rescale_betas_zero_snr=True,
        timestep_spacing="trailing")


def held_out(key, color):
    """Whether training never sees this object on this colour: one pair in ten, none on white."""
    return color != "white" and zlib.crc32(f"{key}/{color}".encode()) % 10 == 0


def caption(words, color):
    """A random wording for one picture: its name, sometimes with tags, and its background unless that is white."""
    text = words["name"]
    if words["tags"] and random.random() < 0.06:
        text += ", " + ", ".join(random.sample(words["tags"], min(2, len(words["tags"]))))
    if random.random() < 0.3:
        text = ("an " if text[0] in "aeiou" else "a ") + text
    if color != "white":
        return text + (f" on a {color} background" if random.random() < 0.85 else f", {color} background")
    return text + (" on a white background" if random.random() < 0.15 else "")


class Tokens:
    """Token ids as rows of a table that holds only tokens some caption can have, so that the optimizer steps no others."""

    def __init__(self, tokenizer, meta):
        self.tokenizer = tokenizer
        texts = [""] + [w["name"] for w in meta] + [", " + ", ".join(w["tags"]) for w in meta]
        texts += [f"a an on a {color} background" for color in COLORS] + [f", {color} background" for color in COLORS]
        self.used = sorted({i for ids in tokenizer(texts).input_ids for i in ids})
        self.padding = self.used.index(VOCABULARY - 1)
        self.row = torch.zeros(VOCABULARY, dtype=torch.long)
        self.row[self.used] = torch.arange(len(self.used))

    def __call__(self, texts, length=77):
        ids = self.tokenizer(texts, padding="max_length", max_length=length, truncation=True, return_tensors="pt").input_ids
        return self.row[ids]
