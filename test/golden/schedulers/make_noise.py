"""Writes noise.json: what torch.randn draws, and an independent Philox in Python integers. usage: make_noise.py"""
import json, math, os
import numpy as np
import torch

MASK = 2**32 - 1


def sample(values):
    """All of a small draw; of a large one the ends, every 997th value and the sum."""
    values = values.flatten().tolist()
    short = [float(f"{v:.9g}") for v in (values if len(values) <= 100 else values[:20] + values[20:-20:997] + values[-20:])]
    return {"length": len(values), "values": short, "sum": math.fsum(values)}


def torch_cpu(seed, shapes):
    generator = torch.Generator("cpu").manual_seed(seed)
    return {"rng": "torch-cpu", "seed": str(seed), "draws": [{"shape": s, **sample(torch.randn(s, generator=generator))} for s in shapes]}


def philox(counter, key):
    """Philox 4x32-10 as in the paper, on Python integers."""
    c, k = list(counter), list(key)
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & MASK, (p0 >> 32) ^ c[3] ^ k[1], p0 & MASK]
        k = [(k[0] + 0x9E3779B9) & MASK, (k[1] + 0xBB67AE85) & MASK]
    return c


def torch_cuda(seed, shapes):
    draws = []
    for offset, shape in enumerate(shapes):
        values = []
        for i in range(math.prod(shape)):
            x, y, _, _ = philox([offset, 0, i, 0], [seed & MASK, seed >> 32])
            # _curand_box_muller in float32, with the fused multiply-adds that nvcc makes.
            inverse, inverse_2pi = np.float32(2.3283064e-10), np.float32(2.3283064e-10) * np.float32(6.2831855)
            u = np.float32(float(np.float32(x)) * float(inverse) + float(inverse) / 2)
            v = np.float32(float(np.float32(y)) * float(inverse_2pi) + float(inverse_2pi) / 2)
            values.append(math.sqrt(-2 * math.log(u)) * math.sin(v))
        draws.append({"shape": shape, **sample(torch.tensor(values, dtype=torch.float32))})
    return {"rng": "torch-cuda", "seed": str(seed), "draws": draws}


shapes = [[1], [5], [15], [16], [17], [31], [32], [100], [1, 4, 64, 64], [3, 4, 8, 8]]
runs = [torch_cpu(seed, [shape]) for seed in (0, 42) for shape in shapes]
runs += [torch_cpu(seed, [[4, 4, 4]]) for seed in (1, 2**31, 2**32 - 1, 2**32, 2**32 + 42, 2**53 - 1, 2**63, 2**64 - 1)]
runs += [
    torch_cpu(7, [[1, 4, 8, 8]] * 4),  # pictures and ancestral noise, one after the other
    torch_cpu(8, [[3], [3], [2]]),  # an odd draw leaves a number waiting
    torch_cpu(9, [[3], [16], [1], [17], [5], [100], [1], [0], [2]]),
    torch_cpu(10, [[1, 4, 31, 33], [15], [1, 4, 31, 33]]),
    torch_cpu(11, [[1]] * 7 + [[640]]),
]
runs += [torch_cuda(seed, [[3, 4], [1], [17], [2, 4, 8, 8]]) for seed in (0, 42, 2**32 - 1, 2**32 + 5, 2**64 - 1)]
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "noise.json")
with open(path, "w") as f:
    f.write('{"torch": "%s", "runs": [\n%s\n]}\n' % (torch.__version__, ",\n".join(json.dumps(r, separators=(",", ":")) for r in runs)))
print(len(runs), "runs,", os.path.getsize(path), "bytes")
