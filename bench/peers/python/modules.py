"""The stages of a Stable Diffusion model as torch modules in float32: what is run, compiled or exported."""

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextModel


class Text(torch.nn.Module):
    inputs = ("ids",)

    def __init__(self, folder):
        super().__init__()
        self.model = CLIPTextModel.from_pretrained(f"{folder}/text_encoder", dtype=torch.float32)

    def forward(self, ids):
        return self.model(ids).last_hidden_state


class Unet(torch.nn.Module):
    inputs = ("latents", "timestep", "context")

    def __init__(self, folder):
        super().__init__()
        self.model = UNet2DConditionModel.from_pretrained(f"{folder}/unet", torch_dtype=torch.float32)

    def forward(self, latents, timestep, context):
        return self.model(latents, timestep, encoder_hidden_states=context, return_dict=False)[0]


class VaeDecoder(torch.nn.Module):
    inputs = ("latents",)

    def __init__(self, folder):
        super().__init__()
        vae = AutoencoderKL.from_pretrained(f"{folder}/vae", torch_dtype=torch.float32)
        self.quant, self.model = vae.post_quant_conv, vae.decoder

    def forward(self, latents):
        return self.model(self.quant(latents))


class VaeEncoder(torch.nn.Module):
    inputs = ("pixels",)

    def __init__(self, folder):
        super().__init__()
        vae = AutoencoderKL.from_pretrained(f"{folder}/vae", torch_dtype=torch.float32)
        self.quant, self.model = vae.quant_conv, vae.encoder

    def forward(self, pixels):
        return self.quant(self.model(pixels))


MODULES = {"text": Text, "unet": Unet, "vae-decode": VaeDecoder, "vae-encode": VaeEncoder}


def load_stage(job):
    """The module of a job's stage, with its weights."""
    return MODULES[job["stage"]](job["model"]).eval()


def tensors(stage, arrays):
    """Inputs in the order of the module, as torch wants them."""
    values = [torch.from_numpy(arrays[name]) for name in MODULES[stage].inputs]
    return [value.long() if value.dtype == torch.int32 else value for value in values]
