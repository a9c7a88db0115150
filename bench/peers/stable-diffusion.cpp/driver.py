"""stable-diffusion.cpp through its Python package, in float32.

It makes whole pictures only: its UNet step and decoder are timed by when its log says that they begin and end.
"""

import ctypes
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "python"))
from protocol import serve  # noqa: E402

# Begin and end of what a stage stands for, in the words of the log.
MARKS = {
    "unet": ("generating image: 1/1", "sampling completed"),
    "vae-decode": ("decoding 1 latents", "latent 1 decoded"),
}


def version():
    from importlib.metadata import version as version_of

    import numpy  # noqa: F401
    import stable_diffusion_cpp  # noqa: F401

    return f"stable-diffusion-cpp-python {version_of('stable-diffusion-cpp-python')}"


def listen(log):
    """Puts (seconds, line) of the library's log into a list; gives what must be kept alive for that."""
    import stable_diffusion_cpp

    @stable_diffusion_cpp.sd_log_callback
    def hear(level, text, data):
        log.append((time.perf_counter(), text.decode(errors="replace")))

    stable_diffusion_cpp.sd_set_log_callback(hear, ctypes.c_void_p(0))
    return hear


def prepare(job):
    import numpy
    from stable_diffusion_cpp import StableDiffusion

    stage, picture = job["stage"], job.get("picture")
    log = []
    kept = listen(log)
    model = StableDiffusion(
        model_path=job["model"],
        n_threads=job["threads"],
        wtype="f32",
        rng_type="cpu",
        sampler_rng_type="cpu",
        vae_decode_only=True,
        verbose=True,
    )
    options = {
        "prompt": picture["prompt"] if picture else "a lighthouse",
        "cfg_scale": picture["guidanceScale"] if picture else 7.5,
        "seed": picture["seed"] if picture else 1,
        "sample_steps": picture["steps"] if picture else 1,
        "sample_method": "euler",
        "width": job["size"],
        "height": job["size"],
    }
    if picture:
        options["sigmas"] = ",".join(map(str, picture["sigmas"]))
    results = []

    def moment(mark):
        return next(seconds for seconds, line in log if mark in line)

    def run():
        log.clear()
        results[:] = model.generate_image(**options)
        if stage == "image":
            return None
        begin, end = MARKS[stage]
        return (moment(end) - moment(begin)) * 1e3

    def output():
        return numpy.asarray(results[0], numpy.float32).transpose(2, 0, 1) / 255

    prepare.kept = kept  # the library holds only its address
    return run, output


serve(version, prepare)
