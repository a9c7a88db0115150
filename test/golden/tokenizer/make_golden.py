"""Writes clip.json: texts with the ids of Hugging Face's CLIPTokenizer. usage: make_golden.py VOCABULARY_FOLDER

VOCABULARY_FOLDER holds CLIP's vocab.json and merges.txt (models/default/tokenizer). Only characters of Unicode 14 are
drawn: the classes of newer ones depend on the versions of ICU and of tokenizers.
"""
import json, os, random, shutil, sys, tempfile, unicodedata
import tokenizers, transformers
from transformers import CLIPTokenizer

SEED = 20240607
random.seed(SEED)
BOS, EOS = "<|startoftext|>", "<|endoftext|>"


def tokenizer(config, special=None, added=None):
    with tempfile.TemporaryDirectory() as folder:
        for name in ("vocab.json", "merges.txt"):
            shutil.copy(os.path.join(sys.argv[1], name), folder)
        for name, value in (("tokenizer_config.json", config), ("special_tokens_map.json", special), ("added_tokens.json", added)):
            if value is not None:
                json.dump(value, open(os.path.join(folder, name), "w"))
        return CLIPTokenizer.from_pretrained(folder)


fixed = [
    "", " ", "a", "A photo of a cat", "a red apple on a wooden table, studio light, 4k", "It's Bob's; they're, we've, I'm, you'll, he'd, CAN'T",
    "'s't're've'm'll'd 'S 'T ''s '' s", "1234567890", "v1.5 x2 3,000.50", "１２３ ½ ² Ⅷ ①", "a\tb\nc\r\nd\x0be\x0cf", "a\u00a0b\u2003c\u3000d\u0085e\u1680f\u2028g",
    "\ufefflead", "a\u200bb\u200dc\u00add", "\x00\x01\x02\x1b[0m\x7f\x80\x9f", "&amp; &lt;b&gt; &#39; &quot;x&quot; &nbsp;", "İstanbul IŞIK ıi ẞ ß ΑΣ ΟΔΥΣΣΕΥΣ Σ ς",
    "é e\u0301 ė\u0301 q\u0307\u0323 q\u0323\u0307 Å \u212b ﬁ ﬀ Ǆ ǅ", "한국어 한글 \u1112\u1161\u11ab", "日本語のテキスト、漢字", "中文测试：一只猫。", "русский ТЕКСТ Ёлка", "العربية עברית हिन्दी ไทย தமிழ் ქართული",
    "😀😃 👩‍👩‍👧‍👦 👍🏽 🇩🇪 ❤️ ☃", "𝕳𝖊𝖑𝖑𝖔 𝟙𝟚 𐐀𐐨 𠀀", "a<|endoftext|>b", "<|startoftext|> cat", "<|ENDOFTEXT|> <|StartOfText|>!!", "!<|endoftext|>!", "!!<|STARTOFTEXT|>''s!!", "<|endoftext|<|endoftext|>|>",
    "“curly” ‘quotes’ – — … ′", "http://example.com/a_b?c=d&e=f#g", "snake_case camelCase kebab-case", "(cat:1.2) [dog] {x|y} ((a))", "~!@#$%^&*()_+`-={}[]|\\:\";'<>?,./", "a" * 300, "ab" * 200, "!" * 200, "é" * 60, "\u0301" * 20, "a" + "\u0301\u0327" * 15,
    "\uffff\ufffe\U0010ffff\ue000", "ﷺ ﷽ ㍿ ㌕", "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘!͖̬̰̙̗̿̋ͥͥ̂ͣ̐́́͜͞", "supercalifragilisticexpialidocious antidisestablishmentarianism",
]

assigned = [c for c in range(0x110000) if unicodedata.category(chr(c)) not in ("Cn", "Cs")]
marks = [c for c in assigned if unicodedata.combining(chr(c))]
spaces = [chr(c) for c in assigned if chr(c).isspace()]
blocks = [(0x20, 0x7F)] * 4 + [(0xA0, 0x250), (0x250, 0x3FF), (0x400, 0x530), (0x530, 0x1000), (0x1E00, 0x2000), (0x2000, 0x2C00), (0x3000, 0x3100), (0x4E00, 0x9FFF), (0xAC00, 0xD7A4), (0xF900, 0xFFFE), (0x10000, 0x11000), (0x1D400, 0x1D800), (0x1F300, 0x1FA00)]
words = "a an the of in on with photo painting cat dog castle Bob's they're 35mm 4k 8K HDR f/1.8 trending on ArtStation by greg rutkowski, masterpiece; best-quality (detailed:1.3) cyberpunk neon, café naïve façade über Ωmega São Paulo don't I'M IT'LL 1girl @home #tag $5 50% &amp; ... !!! ?! -- :) <3".split()


def from_blocks():
    out = ""
    for _ in range(random.randint(1, 5)):
        low, high = random.choice(blocks)
        pool = [c for c in range(low, high) if unicodedata.category(chr(c)) not in ("Cn", "Cs")]
        out += "".join(chr(random.choice(pool)) for _ in range(random.randint(1, 6))) + random.choice(["", "", " ", "'s", "\u0301"])
    return out


def any_characters():
    return "".join(chr(random.choice(assigned)) for _ in range(random.randint(1, 10)))


def with_marks():
    return "".join(random.choice("aeiouqAEO가क") + "".join(chr(random.choice(marks)) for _ in range(random.randint(0, 3))) for _ in range(random.randint(1, 6)))


def odd_spaces():
    return "".join(random.choice(words) + "".join(random.choice(spaces) for _ in range(random.randint(1, 3))) for _ in range(random.randint(1, 6)))


def prose():
    return " ".join(random.choice(words) for _ in range(random.randint(1, 14)))


def noise_with_specials():
    bits = [BOS, EOS, EOS.upper(), "<|", "|>", "endoftext", "!", "''", " ", "x", "1", "<|StartOfText|>"]
    return "".join(random.choice(bits) for _ in range(random.randint(1, 7)))


texts = list(fixed)
for make, count in ((from_blocks, 900), (any_characters, 500), (with_marks, 400), (odd_spaces, 300), (prose, 600), (noise_with_specials, 300)):
    texts += [make() for _ in range(count)]

plain = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 77, "bos_token": BOS, "eos_token": EOS, "unk_token": EOS, "pad_token": EOS}
hf = tokenizer(plain)
cases = [[text, hf(text).input_ids[1:-1]] for text in texts]


def added(content, normalized=True, **more):
    return {"content": content, "lstrip": False, "normalized": normalized, "rstrip": False, "single_word": False, **more}


objects = {"bos_token": added(BOS, __type="AddedToken"), "eos_token": added(EOS, __type="AddedToken"), "unk_token": added(EOS, __type="AddedToken")}
decoder = {"0": added("!", False, special=True), "49406": added(BOS, special=True), "49407": added(EOS, special=True)}
ids = {"<Cat_toy>": 49408, "<cat-toy>": 49409, "sks": 49410}
folders = {
    "no settings": (None, None),
    "SD 1.5": ({**plain, **objects, "pad_token": EOS}, {**objects, "pad_token": EOS}),
    "SD 2.1": ({**plain, **objects, "pad_token": EOS}, {**objects, "pad_token": "!"}),
    "added_tokens_decoder": ({**plain, "pad_token": "!", "added_tokens_decoder": decoder}, {"eos_token": added(EOS, False), "pad_token": EOS}),
    "added_tokens.json": ({**plain, **objects}, {**objects, "pad_token": EOS}, ids),
    "added_tokens.json with special tokens": ({**plain, "additional_special_tokens": ["<Cat_toy>"]}, objects, {**ids, EOS: 49407}),
    "added_tokens.json beside added_tokens_decoder": ({**plain, "added_tokens_decoder": decoder}, None, ids),
}
probes = ["wow! a!b !! ", f"{EOS} x {EOS.upper()}", f"{BOS} x {BOS.upper()}!!", f"a {EOS}b{BOS}c", "plain"] + [noise_with_specials() for _ in range(40)]
variants = []
added_probes = ["a <cat_toy> on sks grass", "<Cat_toy><CAT_TOY> <Cat-Toy>", "asks SKS Sks!", f"sks{EOS}{EOS.upper()}sks"]
for name, (config, special, *added_ids) in folders.items():
    t = tokenizer(config, special, *added_ids)
    length = 77
    rows = [[p, t(p, padding="max_length", max_length=length, truncation=True).input_ids] for p in [*probes, *(added_probes if added_ids else [])]]
    # The last id says how all the rest is padded: runs of padding are dropped to keep the file small.
    rows = [[p, ids[: max(i for i, x in enumerate(ids) if x != t.pad_token_id) + 1]] for p, ids in rows]
    variants.append({"name": name, "config": config, "special": special, "added": added_ids[0] if added_ids else None, "padId": t.pad_token_id, "cases": rows})

# Prompts over 77 ids, with the removed text as StableDiffusionPipeline.encode_prompt logs it.
long_texts = [" ".join(random.choice(words) for _ in range(n)) for n in (60, 70, 75, 76, 77, 80, 120, 300)] + ["cat " * 74, "cat " * 75, "cat " * 76, "cat " * 77, "x" * 500, "日本語" * 40, "a, " * 74 + "supercalifragilisticexpialidocious café, End"]
truncated = []
for text in long_texts:
    ids = hf(text, padding="max_length", max_length=77, truncation=True).input_ids
    whole = hf(text).input_ids
    removed = hf.decode(whole[76:-1]) if len(whole) > 77 else None
    truncated.append([text, ids, removed])

out = {
    "made with": {"transformers": transformers.__version__, "tokenizers": tokenizers.__version__, "seed": SEED},
    "cases": cases, "variants": variants, "truncated": truncated,
}
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "clip.json")
with open(path, "w") as f:
    f.write(json.dumps(out, ensure_ascii=True, separators=(",", ":")).replace('],["', '],\n["') + "\n")
print(len(cases), "texts,", os.path.getsize(path), "bytes")
