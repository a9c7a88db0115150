"""Saves what diffusers computes with the default model in fp32 on the CPU, stage by stage.

usage: python make-golden.py      (torch, diffusers, transformers, no network; see README.md)
"""

import hashlib
import json
import os
import pathlib
import platform

os.environ.setdefault("OMP_NUM_THREADS", "1")

import diffusers
import safetensors
import torch
import transformers
from diffusers import StableDiffusionPipeline
from safetensors.torch import load_file, save_file

ROOT = pathlib.Path(__file__).parent
MODEL = ROOT / "../../../models/default"
PARTS = ("scheduler", "text_encoder", "tokenizer", "unet", "vae")
PROMPT, NEGATIVE, STEPS, GUIDANCE, SEED = "a red apple on a blue background", "", 10, 3.0, 1

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)
torch.set_grad_enabled(False)
diffusers.utils.logging.set_verbosity_error()
transformers.utils.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
diffusers.utils.logging.disable_progress_bar()


def load_model(dtype):
    pipeline = StableDiffusionPipeline.from_pretrained(MODEL, dtype=dtype, safety_checker=None)
    # from_pretrained only warns when a name does not fit: make sure that what we compute with is what is stored.
    for part in ("text_encoder", "unet", "vae"):
        (file,) = (MODEL / part).glob("*.safetensors")
        stored = {key.removeprefix("text_model."): value for key, value in load_file(file).items()}
        state = {key.removeprefix("text_model."): value for key, value in getattr(pipeline, part).state_dict().items()}
        state.pop("embeddings.position_ids", None)
        assert state.keys() == stored.keys(), (part, state.keys() ^ stored.keys())
        for key, value in stored.items():
            assert torch.equal(state[key], value.to(dtype)), key
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def compute(dtype, picture=None):
    """Every tensor; `picture` (H, W, 3) is what the VAE encodes, by default the one that it decoded."""
    pipeline, record, steps = load_model(dtype), {}, []
    for name, text in (("text", PROMPT), ("text.negative", NEGATIVE)):
        ids = pipeline.tokenizer(text, padding="max_length", max_length=77, truncation=True, return_tensors="pt").input_ids
        record[f"{name}.input_ids"] = ids.to(torch.int32)
        record[f"{name}.embeddings"] = pipeline.text_encoder(ids).last_hidden_state

    def keep(_pipeline, _step, _timestep, tensors):
        steps.append(tensors["latents"].clone())
        return {}

    # drawn in fp32, whatever the pipeline's type
    noise = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(SEED))
    record["latents"] = pipeline(
        PROMPT, negative_prompt=NEGATIVE, num_inference_steps=STEPS, guidance_scale=GUIDANCE, latents=noise.to(dtype),
        output_type="latent", callback_on_step_end=keep,
    ).images  # fmt: skip
    record["noise"], record["steps"] = noise, torch.cat(steps)
    decoded = pipeline.vae.decode(record["latents"] / pipeline.vae.config.scaling_factor).sample
    record["pixels"] = ((decoded[0].permute(1, 2, 0) / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8)
    picture = record["pixels"] if picture is None else picture
    mean = pipeline.vae.encode(picture.permute(2, 0, 1)[None].to(dtype) / 255 * 2 - 1).latent_dist.mean
    record["encoded"] = mean * pipeline.vae.config.scaling_factor
    return record


def relative_error(a, b):
    return ((a.double() - b.double()).norm() / b.double().norm()).item()


def files():
    """The SHA-256 of every file that a picture depends on."""
    paths = [MODEL / "model_index.json"] + sorted(path for part in PARTS for path in (MODEL / part).iterdir())
    return {path.relative_to(MODEL).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def main():
    golden = compute(torch.float32)
    exact = compute(torch.float64, golden["pixels"])
    assert golden["steps"].shape[0] == STEPS and torch.equal(golden["steps"][-1:], golden["latents"])
    for key, value in golden.items():
        assert not value.is_floating_point() or value.isfinite().all(), key
    floor = {key: float(f"{relative_error(golden[key], exact[key]):.1e}") for key in sorted(golden) if golden[key].is_floating_point()}
    facts = {
        "prompt": PROMPT, "negativePrompt": NEGATIVE, "steps": STEPS, "guidanceScale": GUIDANCE, "seed": SEED,
        "tensors": {key: list(value.shape) for key, value in sorted(golden.items())},
        "errorAgainstFloat64": floor,
        "pixelsUnlikeFloat64": int((golden["pixels"] != exact["pixels"]).sum()),
        "versions": {
            "python": platform.python_version(), "torch": torch.__version__, "diffusers": diffusers.__version__,
            "transformers": transformers.__version__, "safetensors": safetensors.__version__,
        },
        "sha256": files(),
    }  # fmt: skip
    save_file({key: value.contiguous() for key, value in sorted(golden.items())}, ROOT / "golden.safetensors")
    (ROOT / "golden.safetensors").chmod(0o644)
    (ROOT / "golden.json").write_text(json.dumps(facts, indent=1) + "\n")
    print(floor, facts["pixelsUnlikeFloat64"])


if __name__ == "__main__":
    main()
