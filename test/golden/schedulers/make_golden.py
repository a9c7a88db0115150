"""Writes trajectories.json: whole runs of diffusers' schedulers over a cheap analytic model. usage: make_golden.py

The model is m[i] = 0.5 sin(0.4 x[i] + 0.002 t + i) + 0.1 x[i] over 8 float32 values; the noises are sines too, so that
trajectories.test.ts can replay everything from the rows alone. Versions lie beside the data.
"""
import inspect, json, math, os
import torch, diffusers
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler, EulerAncestralDiscreteScheduler, EulerDiscreteScheduler
from diffusers.schedulers import scheduling_euler_ancestral_discrete as ancestral

SHAPE = (1, 2, 2, 2)
STEPS = [1, 2, 3, 5, 10, 20, 50, 100]
SD = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
COSINE = {"beta_schedule": "squaredcos_cap_v2"}
CLASSES = {"ddim": DDIMScheduler, "euler": EulerDiscreteScheduler, "euler-ancestral": EulerAncestralDiscreteScheduler, "dpmpp-2m": DPMSolverMultistepScheduler}
INDEX = torch.arange(8, dtype=torch.float32).reshape(SHAPE)


def noise(k):
    return torch.tensor([1.4 * math.sin(12.9898 * (8 * k + i) + 1) for i in range(8)], dtype=torch.float32).reshape(SHAPE)


def model(x, t):
    return 0.5 * torch.sin(0.4 * x + 0.002 * float(t) + INDEX) + 0.1 * x


def run(name, config, steps, strength=None, eta=0.0):
    scheduler = CLASSES[name](**({"clip_sample": False} if name == "ddim" else {}), **config)
    scheduler.set_timesteps(steps)
    timesteps = scheduler.timesteps
    assert len(timesteps) == steps, (name, config, steps)
    if strength is None:
        x = noise(0) * scheduler.init_noise_sigma
        if hasattr(scheduler, "set_begin_index"):
            scheduler.set_begin_index(0)  # or Karras timesteps that round alike make diffusers skip a step and fail
    else:  # StableDiffusionImg2ImgPipeline.get_timesteps and prepare_latents
        begin = max(steps - min(int(steps * strength), steps), 0)
        timesteps = timesteps[begin:]
        if hasattr(scheduler, "set_begin_index"):
            scheduler.set_begin_index(begin)
        x = scheduler.add_noise(0.8 * noise(1000), noise(0), timesteps[:1])
    trace = []
    for k, t in enumerate(timesteps):
        m = model(scheduler.scale_model_input(x, t), t)
        more = {}
        if name == "ddim" and eta > 0:
            more = {"eta": eta, "variance_noise": noise(k + 1)}
        ancestral.randn_tensor = lambda *a, **b: noise(k + 1)
        x = scheduler.step(m, t, x, **more).prev_sample
        trace.append(x)
    # Read in float32's nine digits; timesteps are float32 or integers.
    numbers = lambda x: [float(f"{v:.9g}") for v in x.flatten().tolist()]
    ts = [float(f"{float(t):.9g}") for t in timesteps]
    assert all(torch.isfinite(x).all() for x in trace), (name, config, steps)
    result = {"scheduler": name, "config": config, "steps": steps}
    if strength is not None:
        result["strength"] = strength
    if eta:
        result["eta"] = eta
    # All timesteps of short runs; of long ones the first, the last and the sum.
    result["timesteps"] = ts if len(ts) <= 10 else [*ts[:3], *ts[-3:], float(f"{sum(ts):.9g}")]
    result["middle"] = numbers(trace[len(trace) // 2])
    result["final"] = numbers(trace[-1])
    return result


cases = []
for name in CLASSES:
    for prediction in ("epsilon", "v_prediction", "sample"):
        if (name, prediction) == ("euler-ancestral", "sample"):
            continue  # not implemented by diffusers
        for spacing in ("leading", "linspace", "trailing"):
            for steps in STEPS:
                cases.append(run(name, {**SD, "prediction_type": prediction, "timestep_spacing": spacing, "steps_offset": 1}, steps))
    # diffusers' defaults, other schedules, strengths.
    for steps in (1, 7, 25):
        cases.append(run(name, {}, steps))
        cases.append(run(name, {**COSINE, "timestep_spacing": "trailing"}, steps))
        cases.append(run(name, {"trained_betas": [0.001 + 0.0005 * i for i in range(40)], "num_train_timesteps": 40, "timestep_spacing": "trailing"}, steps))
    for spacing in ("leading", "linspace", "trailing"):
        for steps, strength in ((20, 0.8), (10, 0.35), (3, 1.0), (50, 0.02), (7, 0.99)):
            cases.append(run(name, {**SD, "timestep_spacing": spacing, "steps_offset": 1}, steps, strength))
    # Zero terminal SNR.
    for steps in (1, 2, 5, 20, 50):
        for spacing in ("leading", "linspace", "trailing"):
            zero = {**SD, "rescale_betas_zero_snr": True, "prediction_type": "v_prediction", "timestep_spacing": spacing}
            cases.append(run(name, zero, steps))
    cases.append(run(name, {**SD, "rescale_betas_zero_snr": True, "prediction_type": "v_prediction", "timestep_spacing": "trailing"}, 20, 0.6))

for name in ("euler", "dpmpp-2m"):
    for steps in STEPS:
        cases.append(run(name, {**SD, "use_karras_sigmas": True}, steps))
        cases.append(run(name, {**SD, "final_sigmas_type": "sigma_min", "timestep_spacing": "leading", "steps_offset": 1}, steps))
    for steps in (4, 30):
        for spacing in ("leading", "trailing"):
            cases.append(run(name, {**SD, "use_karras_sigmas": True, "timestep_spacing": spacing, "steps_offset": 1, "prediction_type": "v_prediction"}, steps))
        cases.append(run(name, {**SD, "use_karras_sigmas": True, "final_sigmas_type": "sigma_min"}, steps))
        cases.append(run(name, {**COSINE, "use_karras_sigmas": True}, steps))
        cases.append(run(name, {**SD, "use_karras_sigmas": True, "rescale_betas_zero_snr": True, "prediction_type": "v_prediction"}, steps))
        cases.append(run(name, {**SD, "use_karras_sigmas": True}, steps, 0.6))
    cases.append(run(name, {**SD, "rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}, 20))
for steps in (14, 15):  # lower_order_final is for runs shorter than 15
    cases.append(run("dpmpp-2m", {**SD, "final_sigmas_type": "sigma_min"}, steps))
for steps in (6, 25):
    cases.append(run("euler", {**SD, "use_karras_sigmas": True, "sigma_min": 0.05, "sigma_max": 10.0}, steps))
    for extra in ({"euler_at_final": True}, {"lower_order_final": False}, {"solver_order": 1}):
        cases.append(run("dpmpp-2m", {**SD, **extra}, steps))
        cases.append(run("dpmpp-2m", {**SD, **extra, "final_sigmas_type": "sigma_min"}, steps))
    cases.append(run("dpmpp-2m", {**COSINE, "lambda_min_clipped": -5.1}, steps))
    cases.append(run("dpmpp-2m", {**COSINE, "lambda_min_clipped": -5.1, "timestep_spacing": "leading"}, steps))
    for thresholding in ({"thresholding": True}, {"thresholding": True, "dynamic_thresholding_ratio": 0.9, "sample_max_value": 1.5}):
        for name in ("ddim", "dpmpp-2m"):
            for prediction in ("epsilon", "v_prediction"):
                cases.append(run(name, {**SD, **thresholding, "prediction_type": prediction}, steps))
    for eta in (0.3, 1.0):
        for spacing in ("leading", "linspace", "trailing"):
            for prediction in ("epsilon", "v_prediction", "sample"):
                cases.append(run("ddim", {**SD, "timestep_spacing": spacing, "steps_offset": 1, "prediction_type": prediction, "set_alpha_to_one": False}, steps, eta=eta))
        cases.append(run("ddim", {**SD, "set_alpha_to_one": False}, steps, 0.7, eta=eta))

# The tables that everything starts from: every 37th value, and the last, as float32's exact decimals.
tables = []
for config in ({}, SD, COSINE, {**SD, "rescale_betas_zero_snr": True}, {"num_train_timesteps": 333}):
    alphas = DDIMScheduler(**config).alphas_cumprod.tolist()
    tables.append({"config": config, "alphas_cumprod": alphas[::37] + alphas[-1:]})

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "trajectories.json")
with open(path, "w") as f:
    rows = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    f.write(json.dumps({"diffusers": diffusers.__version__, "torch": torch.__version__})[:-1] + ', "tables": ' + json.dumps(tables, separators=(",", ":")) + ', "cases": [\n' + rows + "\n]}\n")
print(len(cases), "runs,", os.path.getsize(path), "bytes")
