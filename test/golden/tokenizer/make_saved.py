"""Writes saved/, a tokenizer folder as transformers 5 saves it, and saved.json, texts with the ids that it gives them.

The vocabulary is that of the golden pipelines. The folder has tokens of a textual inversion, Stable Diffusion 2's padding,
and what a call with padding and truncation leaves behind in tokenizer.json.
"""
import json, os, random, sys, tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "pipelines"))
import tokenizers, transformers
from tiny_tokenizer import WORDS, write_tokenizer
from transformers import CLIPTokenizer

SEED = 20240608
random.seed(SEED)
PADDED = dict(padding="max_length", max_length=77, truncation=True)

with tempfile.TemporaryDirectory() as folder:
    write_tokenizer(Path(folder), "!")
    tokenizer = CLIPTokenizer.from_pretrained(folder)
    tokenizer.add_tokens(["<cat-toy>", "Sks"])
    tokenizer.add_tokens(["<Style>", "sks"], special_tokens=True)
    tokenizer("a", **PADDED)
    tokenizer.save_pretrained(HERE / "saved")
assert sorted(os.listdir(HERE / "saved")) == ["tokenizer.json", "tokenizer_config.json"]

tokenizer = CLIPTokenizer.from_pretrained(HERE / "saved")
bits = [*WORDS, "<cat-toy>", "<CAT-TOY>", "Sks", "SKS", "sks", "asks", "<Style>", "<style>", "<|endoftext|>", "<|ENDOFTEXT|>", "!", "!!", "it's", "Übergröße", "4k", "猫", "\u0301", ", "]
texts = ["", "a <cat-toy> on sks grass", "a photo of an old red apple", "a " * 90]
texts += ["".join(random.choice(bits) + random.choice(["", " ", " "]) for _ in range(random.randint(1, 12))) for _ in range(60)]
out = {
    "made with": {"transformers": transformers.__version__, "tokenizers": tokenizers.__version__, "seed": SEED},
    "cases": [[text, tokenizer(text, **PADDED).input_ids] for text in texts],
}
rows = json.dumps(out, ensure_ascii=True, separators=(",", ":")).replace(']],["', ']],\n["')
(HERE / "saved.json").write_text(rows + "\n")
