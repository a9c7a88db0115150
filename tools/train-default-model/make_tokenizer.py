"""Writes the standard CLIP tokenizer (49,408 tokens) from the merges that the package open-clip-torch ships.

usage: make_tokenizer.py    to work/tokenizer
"""
import gzip
import json
from importlib.util import find_spec
from pathlib import Path

from common import WORK

MERGES = 49152 - 256 - 2
SPECIAL = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "unk_token": "<|endoftext|>", "pad_token": "<|endoftext|>"}


def byte_characters():
    """A printable character for each byte, in the order of the vocabulary's first 256 entries (as in GPT-2)."""
    kept = [*range(33, 127), *range(161, 173), *range(174, 256)]
    rest = [b for b in range(256) if b not in kept]
    return [chr(b) for b in kept] + [chr(256 + n) for n in range(len(rest))]


def main():
    source = Path(find_spec("open_clip").submodule_search_locations[0]) / "bpe_simple_vocab_16e6.txt.gz"
    merges = gzip.decompress(source.read_bytes()).decode().split("\n")[1:MERGES + 1]
    characters = byte_characters()
    vocabulary = characters + [c + "</w>" for c in characters] + ["".join(m.split()) for m in merges]
    vocabulary += [SPECIAL["bos_token"], SPECIAL["eos_token"]]
    assert len(vocabulary) == 49408
    out = WORK / "tokenizer"
    out.mkdir(parents=True, exist_ok=True)
    (out / "vocab.json").write_text(json.dumps({t: i for i, t in enumerate(vocabulary)}, ensure_ascii=False))
    (out / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n")
    (out / "special_tokens_map.json").write_text(json.dumps(SPECIAL, indent=2) + "\n")
    config = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "do_lower_case": True, "add_prefix_space": False, "errors": "replace"}
    (out / "tokenizer_config.json").write_text(json.dumps(config | SPECIAL, indent=2) + "\n")


if __name__ == "__main__":
    main()
