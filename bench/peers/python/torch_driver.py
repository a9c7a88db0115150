"""What the drivers of diffusers share: eager, or with everything that is run compiled."""

from protocol import read_arrays, serve


def version():
    import diffusers
    import torch
    import transformers

    return f"torch {torch.__version__}, diffusers {diffusers.__version__}, transformers {transformers.__version__}"


def dtype_of(job):
    import torch

    return torch.bfloat16 if job["arithmetic"] == "bf16" else torch.float32


def prepare_stage(job, compiled):
    import torch
    from modules import load_stage, tensors

    dtype = dtype_of(job)
    module = load_stage(job).to(dtype, memory_format=torch.channels_last)
    inputs = [x.to(dtype) if x.is_floating_point() else x for x in tensors(job["stage"], read_arrays(job))]
    inputs = [x.contiguous(memory_format=torch.channels_last) if x.dim() == 4 else x for x in inputs]
    call = torch.compile(module) if compiled else module
    results = []

    def run():
        with torch.inference_mode():
            results[:] = [call(*inputs)]

    return run, lambda: results[0].contiguous().float().numpy()


def prepare_image(job, compiled):
    import torch
    from diffusers import EulerDiscreteScheduler, StableDiffusionPipeline

    pipeline = StableDiffusionPipeline.from_pretrained(
        job["model"], torch_dtype=dtype_of(job), safety_checker=None, requires_safety_checker=False
    )
    pipeline.scheduler = EulerDiscreteScheduler.from_config(pipeline.scheduler.config)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.unet.to(memory_format=torch.channels_last)
    pipeline.vae.to(memory_format=torch.channels_last)
    if compiled:
        pipeline.unet = torch.compile(pipeline.unet)
        pipeline.vae.decoder = torch.compile(pipeline.vae.decoder)
        pipeline.text_encoder = torch.compile(pipeline.text_encoder)
    picture = job["picture"]
    noise = torch.from_numpy(read_arrays(job)["noise"]).to(dtype_of(job))
    results = []

    def run():
        results[:] = pipeline(
            picture["prompt"],
            negative_prompt="",
            width=job["size"],
            height=job["size"],
            num_inference_steps=picture["steps"],
            guidance_scale=picture["guidanceScale"],
            latents=noise.clone(),
            output_type="np",
        ).images

    return run, lambda: results[0].transpose(2, 0, 1)


def main(compiled):
    def prepare(job):
        import torch

        torch.set_num_threads(job["threads"])
        return (prepare_image if job["stage"] == "image" else prepare_stage)(job, compiled)

    serve(version, prepare)
