"""A CLIP tokenizer with a tiny vocabulary: the 512 byte tokens of CLIP in its order, a few dozen merges, two specials."""

import json
from collections import Counter

WORDS = (
    "a photo of an old red apple on the wooden table in morning light painting cat dog with sunglasses "
    "ugly blurry low quality small house by sea at night watercolor portrait fox forest blue"
).split()
MERGES = 60


def byte_characters():
    """The visible stand-in of every byte, in the order of CLIP's vocabulary ("!" is token 0)."""
    shown = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    hidden = [b for b in range(256) if b not in shown]
    return [chr(b) for b in shown] + [chr(256 + i) for i in range(len(hidden))]


def learn_merges():
    words = [[*word[:-1], word[-1] + "</w>"] for word in WORDS]
    merges = []
    while len(merges) < MERGES:
        pairs = Counter(pair for word in words for pair in zip(word, word[1:]))
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        for word in words:
            i = 0
            while i + 1 < len(word):
                if (word[i], word[i + 1]) == best:
                    word[i : i + 2] = ["".join(best)]
                i += 1
    return merges


def write_tokenizer(folder, pad):
    """Writes vocab.json, merges.txt and the two settings files as the Stable Diffusion folders have them; returns the size."""
    folder.mkdir(parents=True, exist_ok=True)
    characters, merges = byte_characters(), learn_merges()
    tokens = [*characters, *(c + "</w>" for c in characters), *("".join(m) for m in merges)]
    tokens += ["<|startoftext|>", "<|endoftext|>"]
    vocabulary = {token: i for i, token in enumerate(tokens)}
    assert len(vocabulary) == len(tokens)

    def write_json(name, value):
        (folder / name).write_text(json.dumps(value, ensure_ascii=False, indent=2 if len(value) < 99 else None) + "\n")

    write_json("vocab.json", vocabulary)
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *(" ".join(m) for m in merges)]) + "\n")

    def special(content):
        return {"content": content, "lstrip": False, "normalized": True, "rstrip": False, "single_word": False}

    start, end = special("<|startoftext|>"), special("<|endoftext|>")
    write_json(
        "special_tokens_map.json", {"bos_token": start, "eos_token": end, "pad_token": pad, "unk_token": end}
    )
    write_json(
        "tokenizer_config.json",
        {
            "add_prefix_space": False,
            "bos_token": {"__type": "AddedToken", **start},
            "do_lower_case": True,
            "eos_token": {"__type": "AddedToken", **end},
            "errors": "replace",
            "model_max_length": 77,
            "pad_token": pad,
            "tokenizer_class": "CLIPTokenizer",
            "unk_token": {"__type": "AddedToken", **end},
        },
    )
    return len(tokens)
