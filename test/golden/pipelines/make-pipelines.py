"""Makes tiny random Stable Diffusion pipelines with diffusers' own classes and saves what they compute, stage by stage.

usage: python make-pipelines.py [NAME ...]      (all of pipelines.py without names; see README.md)
"""

import contextlib
import copy
import json
import os
import pathlib
import platform
import shutil
import sys

os.environ.setdefault("OMP_NUM_THREADS", "1")

import diffusers
import safetensors
import torch
import transformers
from diffusers import AutoencoderKL, StableDiffusionImg2ImgPipeline, StableDiffusionPipeline, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from pipelines import NEGATIVE, PIPELINES, PROMPT
from tiny_tokenizer import write_tokenizer

ROOT = pathlib.Path(__file__).parent
STEPS, GUIDANCE, STRENGTH, SEED = 20, 7.5, 0.6, 1234

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)
torch.set_grad_enabled(False)
diffusers.utils.logging.set_verbosity_error()
transformers.utils.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
diffusers.utils.logging.disable_progress_bar()


def randomise(model, seed):
    """Weights that keep activations near 1 and make every parameter count: norms and biases are random too."""
    generator = torch.Generator().manual_seed(seed)

    def normal(tensor, deviation, mean=0.0):
        tensor.copy_(mean + deviation * torch.randn(tensor.shape, generator=generator))

    for name, parameter in model.named_parameters():
        owner = name.rsplit(".", 2)[-2]
        if name.endswith("bias"):
            normal(parameter, 0.2)
        elif parameter.dim() == 1:
            normal(parameter, 0.3, mean=1.0)
        elif "embedding" in owner and parameter.dim() == 2 and "time_embedding" not in name:
            normal(parameter, 0.7)
        else:
            sharp = 1.5 if owner in ("to_q", "to_k", "q_proj", "k_proj") else 1.0
            normal(parameter, sharp / parameter[0].numel() ** 0.5)


def old_text_config(folder, config):
    """The text encoder's config.json as the SD 1.5 folder has it, written by transformers 4."""
    kept = ("hidden_act hidden_size intermediate_size num_attention_heads num_hidden_layers projection_dim vocab_size").split()
    old = dict(
        _name_or_path="openai/clip-vit-large-patch14", architectures=["CLIPTextModel"], attention_dropout=0.0, bos_token_id=0,
        dropout=0.0, eos_token_id=2, initializer_factor=1.0, initializer_range=0.02, layer_norm_eps=1e-05,
        max_position_embeddings=77, model_type="clip_text_model", pad_token_id=1, torch_dtype="float32",
        transformers_version="4.22.0.dev0", **{key: getattr(config, key) for key in kept},
    )  # fmt: skip
    (folder / "config.json").write_text(json.dumps(dict(sorted(old.items())), indent=2) + "\n")


def save_model(folder, spec, seed):
    """Writes the pipeline in diffusers' layout, weights in the stored type of the table."""
    shutil.rmtree(folder, ignore_errors=True)
    vocabulary = write_tokenizer(folder / "tokenizer", spec.get("pad", "<|endoftext|>"))
    ends = dict(bos_token_id=vocabulary - 2, eos_token_id=vocabulary - 1)
    config = CLIPTextConfig(vocab_size=vocabulary, **ends, **{"pad_token_id": 1, **spec["text"]})
    text_encoder, unet, vae = CLIPTextModel(config), UNet2DConditionModel(**spec["unet"]), AutoencoderKL(**spec["vae"])
    for i, model in enumerate((text_encoder, unet, vae)):
        randomise(model, seed + i)
        if model is unet:
            # Guidance 7.5 on a random network is chaotic: fp32 rounding would grow to the size of the picture in 20 steps.
            unet.conv_out.weight.mul_(spec["output"])
            unet.conv_out.bias.mul_(spec.get("output_bias", 1.0))
        model.to(getattr(torch, spec.get("dtype", "float32"))).eval()
    name, settings = spec["scheduler"]
    scheduler = getattr(diffusers, name)(**settings)
    tokenizer = CLIPTokenizer.from_pretrained(folder / "tokenizer")
    variant = {"variant": spec["variant"]} if "variant" in spec else {}
    pipeline = StableDiffusionPipeline(
        vae=vae, text_encoder=text_encoder, tokenizer=tokenizer, unet=unet, scheduler=scheduler,
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip
    pipeline.save_pretrained(folder, **variant)
    if "shard" in spec:
        shutil.rmtree(folder / "unet")
        unet.save_pretrained(folder / "unet", max_shard_size=spec["shard"])
    # transformers 5 saves tokenizer.json; published Stable Diffusion models have vocab.json and merges.txt.
    if not spec.get("saved_tokenizer"):
        shutil.rmtree(folder / "tokenizer")
        write_tokenizer(folder / "tokenizer", spec.get("pad", "<|endoftext|>"))
    else:
        for name in ("vocab.json", "merges.txt", "special_tokens_map.json"):
            (folder / "tokenizer" / name).unlink()

    # transformers 5 drops the prefix that the files of every published Stable Diffusion model have.
    file = folder / "text_encoder" / (f"model.{spec['variant']}.safetensors" if "variant" in spec else "model.safetensors")
    tensors = {key.removeprefix("text_model."): value for key, value in load_file(file).items()}
    if spec.get("prefix", True):
        tensors = {f"text_model.{key}": value for key, value in tensors.items()}
    if spec.get("position_ids"):
        tensors["text_model.embeddings.position_ids"] = torch.arange(77)[None]
    save_file(tensors, file, metadata={"format": "pt"})
    if spec.get("old_text_config"):
        old_text_config(folder / "text_encoder", config)
    for path in folder.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)


def load_model(folder, spec, dtype):
    options = {"variant": spec["variant"]} if "variant" in spec else {}
    pipeline = StableDiffusionPipeline.from_pretrained(folder, dtype=dtype, **options)
    # from_pretrained only warns when a name does not fit: make sure that what we compute with is what is stored.
    for part, model in (("text_encoder", pipeline.text_encoder), ("unet", pipeline.unet), ("vae", pipeline.vae)):
        stored = {}
        for file in (folder / part).glob("*.safetensors"):
            stored.update(load_file(file))
        state = {key.removeprefix("text_model."): value for key, value in model.state_dict().items()}
        stored = {key.removeprefix("text_model."): value for key, value in stored.items() if "position_ids" not in key}
        assert state.keys() == stored.keys(), (part, state.keys() ^ stored.keys())
        for key, value in stored.items():
            assert torch.equal(state[key], value.to(dtype)), key
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


class Record(dict):
    """Named tensors; `watch` adds the output of a module while the block runs."""

    @contextlib.contextmanager
    def watch(self, modules):
        handles = []
        for name, module in modules.items():

            def keep(_module, _inputs, output, name=name):
                self[name] = (output[0] if isinstance(output, tuple) else output).clone()

            handles.append(module.register_forward_hook(keep))
        yield
        for handle in handles:
            handle.remove()


def smooth_picture(height, width):
    """A picture of gradients and a disc, (height, width, 3) uint8."""
    y, x = torch.meshgrid(torch.arange(height) / height, torch.arange(width) / width, indexing="ij")
    disc = ((x - 0.6) ** 2 + (y - 0.4) ** 2 < 0.06).float()
    planes = [x * (1 - disc) + 0.9 * disc, y, 0.5 + 0.5 * torch.sin(9 * x + 5 * y)]
    return (torch.stack(planes, -1) * 255).round().to(torch.uint8)


def text_stage(pipeline, prompts, record):
    def encode(texts):
        ids = pipeline.tokenizer(texts, padding="max_length", max_length=77, truncation=True, return_tensors="pt").input_ids
        return ids.to(torch.int32), pipeline.text_encoder(ids).last_hidden_state

    model = getattr(pipeline.text_encoder, "text_model", pipeline.text_encoder)
    layers = {f"text.block.layers.{i}": m for i, m in enumerate(model.encoder.layers)}
    with record.watch({"text.block.embeddings": model.embeddings, **layers}):
        record["text.input_ids"], record["text.embeddings"] = encode(prompts)
    record["text.negative_input_ids"], record["text.negative_embeddings"] = encode([NEGATIVE])


def unet_stage(pipeline, spec, record):
    unet, timestep = pipeline.unet, spec.get("unet_timestep", 500)
    embeddings = torch.cat([record["text.negative_embeddings"], record["text.embeddings"]])[:2]
    blocks = {"unet.block.time_embedding": unet.time_embedding, "unet.block.conv_in": unet.conv_in}
    blocks.update({f"unet.block.down_blocks.{i}": m for i, m in enumerate(unet.down_blocks)})
    blocks.update({"unet.block.mid_block": unet.mid_block} if unet.mid_block else {})
    blocks.update({f"unet.block.up_blocks.{i}": m for i, m in enumerate(unet.up_blocks)})
    generator = torch.Generator().manual_seed(SEED + 1)
    sizes = [spec["latents"], *spec.get("extra_unet", [])]
    for i, (height, width) in enumerate(sizes):
        name = "unet" if i == 0 else f"unet.{height}x{width}"
        sample = torch.randn(2, unet.config.in_channels, height, width, generator=generator).to(embeddings.dtype)
        record[f"{name}.sample"] = sample
        with record.watch(blocks if i == 0 else {}):
            record[f"{name}.output"] = unet(sample, timestep, encoder_hidden_states=embeddings).sample
    record["unet.embeddings"] = embeddings


def vae_stage(pipeline, spec, record):
    vae, factor = pipeline.vae, pipeline.vae_scale_factor
    height, width = spec["latents"]
    picture = smooth_picture(height * factor, width * factor)
    record["vae.picture"] = picture
    pixels = picture.permute(2, 0, 1)[None].to(vae.dtype) / 255 * 2 - 1
    with record.watch({"vae.block.encoder.mid_block": vae.encoder.mid_block}):
        moments = vae.encode(pixels).latent_dist
    record["vae.mean"], record["vae.logvar"] = moments.mean, moments.logvar
    # A small odd size: decoded pictures are the largest tensors here.
    generator = torch.Generator().manual_seed(SEED + 2)
    record["vae.latents"] = torch.randn(1, vae.config.latent_channels, 5, 7, generator=generator).to(vae.dtype)
    with record.watch({"vae.block.decoder.mid_block": vae.decoder.mid_block}):
        record["vae.decoded"] = vae.decode(record["vae.latents"]).sample
    return picture


class DrawnNoise:
    """Keeps every noise tensor that diffusers draws while the block runs, in order; drawn in fp32, whatever the pipeline's type."""

    def __enter__(self):
        self.drawn, self.saved = [], []

        def randn_tensor(shape, generator=None, device=None, dtype=None, layout=None):
            noise = torch.randn(tuple(shape), generator=generator)
            self.drawn.append(noise)
            return noise.to(dtype)

        for module in list(sys.modules.values()):
            if getattr(module, "__name__", "").startswith("diffusers.") and "randn_tensor" in vars(module):
                self.saved.append((module, module.randn_tensor))
                module.randn_tensor = randn_tensor
        return self

    def __exit__(self, *_):
        for module, original in self.saved:
            module.randn_tensor = original


def run_stages(pipeline, spec, record, picture):
    prompts, negative = spec["prompts"], [NEGATIVE] * len(spec["prompts"])
    factor = pipeline.vae_scale_factor
    height, width = (n * factor for n in spec["latents"])
    common = dict(prompt=prompts, negative_prompt=negative, num_inference_steps=STEPS, guidance_scale=GUIDANCE, eta=spec.get("eta", 0.0))
    sampled = dict(common, height=height, width=width, output_type="latent")
    states = []

    def keep_state(_pipeline, _step, _timestep, tensors):
        states.append(tensors["latents"].clone())
        return {}

    with DrawnNoise() as noise:
        generator = torch.Generator().manual_seed(SEED)
        record["txt2img.latents"] = pipeline(**sampled, generator=generator, callback_on_step_end=keep_state).images
    record["txt2img.noise"] = noise.drawn[0]
    record["txt2img.step_5"] = states[4]
    if len(noise.drawn) > 1:
        record["txt2img.step_noise"] = torch.stack(noise.drawn[1:])

    if "threshold" in spec:
        thresholded = copy.copy(pipeline)
        limits = dict(thresholding=True, dynamic_thresholding_ratio=spec["threshold"]["ratio"], sample_max_value=spec["threshold"]["max"])
        thresholded.scheduler = type(pipeline.scheduler).from_config(pipeline.scheduler.config, **limits)
        with DrawnNoise():
            record["threshold.latents"] = thresholded(**sampled, generator=torch.Generator().manual_seed(SEED)).images

    image2image = StableDiffusionImg2ImgPipeline(**pipeline.components, requires_safety_checker=False)
    image2image.set_progress_bar_config(disable=True)
    with DrawnNoise() as noise:
        generator = torch.Generator().manual_seed(SEED)
        image = picture.permute(2, 0, 1)[None].to(pipeline.vae.dtype) / 255
        record["img2img.latents"] = image2image(
            **common, image=image, strength=STRENGTH, output_type="latent", generator=generator
        ).images
    record["img2img.posterior_noise"], record["img2img.noise"] = noise.drawn[:2]
    if len(noise.drawn) > 2:
        record["img2img.step_noise"] = torch.stack(noise.drawn[2:])


def compute(folder, spec, dtype):
    pipeline, record = load_model(folder, spec, dtype), Record()
    text_stage(pipeline, spec["prompts"], record)
    unet_stage(pipeline, spec, record)
    picture = vae_stage(pipeline, spec, record)
    run_stages(pipeline, spec, record, picture)
    return record, pipeline


def relative_error(a, b):
    return ((a.double() - b.double()).norm() / b.double().norm()).item()


def make(name, seed):
    spec, folder = {"prompts": [PROMPT], **PIPELINES[name]}, ROOT / name
    save_model(folder / "model", spec, seed)
    golden, pipeline = compute(folder / "model", spec, torch.float32)
    exact, _ = compute(folder / "model", spec, torch.float64)
    floor = {key: float(f"{relative_error(golden[key], exact[key]):.1e}") for key in golden if golden[key].is_floating_point()}
    deviation = {key: float(f"{golden[key].double().std().item():.3g}") for key in golden if golden[key].is_floating_point()}
    save_file({key: value.contiguous() for key, value in sorted(golden.items())}, folder / "golden.safetensors")
    facts = {
        "about": spec["about"],
        "seed": SEED,
        "weightsSeed": seed,
        "prompts": spec["prompts"],
        "negativePrompt": NEGATIVE,
        "steps": STEPS,
        "guidanceScale": GUIDANCE,
        "eta": spec.get("eta", 0.0),
        "strength": STRENGTH,
        "threshold": spec.get("threshold"),
        "variant": spec.get("variant"),
        "scheduler": spec["scheduler"][0],
        "unetTimestep": spec.get("unet_timestep", 500),
        "vaeScaleFactor": pipeline.vae_scale_factor,
        "latents": spec["latents"],
        "width": spec["latents"][1] * pipeline.vae_scale_factor,
        "height": spec["latents"][0] * pipeline.vae_scale_factor,
        "tensors": {key: list(value.shape) for key, value in sorted(golden.items())},
        "standardDeviations": deviation,
        "errorAgainstFloat64": floor,
        "versions": {
            "python": platform.python_version(), "torch": torch.__version__, "diffusers": diffusers.__version__,
            "transformers": transformers.__version__, "safetensors": safetensors.__version__,
        },  # fmt: skip
    }
    (folder / "golden.safetensors").chmod(0o644)
    (folder / "golden.json").write_text(json.dumps(facts, indent=1) + "\n")
    worst = {key: floor[key] for key in floor if key.endswith(("latents", "output", "embeddings", "decoded", "mean"))}
    print(name, {part: sum(f.stat().st_size for f in (folder / part).rglob("*") if f.is_file()) // 1000 for part in ("model", ".")})
    print("  float64:", worst)
    print("  std:", {key: deviation[key] for key in worst})
    for key, value in golden.items():
        assert not value.is_floating_point() or value.isfinite().all(), key


if __name__ == "__main__":
    for name in sys.argv[1:] or PIPELINES:
        make(name, 100 * (1 + list(PIPELINES).index(name)))
