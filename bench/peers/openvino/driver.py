"""OpenVINO on the CPU, in float32 or bf16, from a model converted at the benchmark's shapes."""

import json
import subprocess
import sys
from pathlib import Path

PYTHON = Path(__file__).parents[1] / "python"
sys.path.insert(0, str(PYTHON))
from protocol import read_arrays, serve  # noqa: E402


def version():
    import openvino

    return f"openvino {openvino.__version__}"


def file_of(job):
    return Path(job["cache"]) / f"{job['stage']}-{job['size']}-{job['batch']}" / "openvino.xml"


def export(job):
    file = file_of(job)
    if file.exists():
        return
    folder = file.parent
    folder.mkdir(parents=True, exist_ok=True)
    job_file = folder / "openvino-job.json"
    job_file.write_text(json.dumps(job))
    # Under another name until it is whole; the weights lie beside it.
    partial = folder / "partial.xml"
    subprocess.run([sys.executable, str(PYTHON / "export.py"), "openvino", str(job_file), str(partial)], check=True)
    partial.with_suffix(".bin").rename(file.with_suffix(".bin"))
    partial.rename(file)


def prepare(job):
    import numpy
    import openvino

    core = openvino.Core()
    # bf16 is what it computes in by itself on CPUs that multiply it.
    bf16 = job["arithmetic"] == "bf16"
    options = {
        "INFERENCE_PRECISION_HINT": "bf16" if bf16 else "f32",
        "EXECUTION_MODE_HINT": "PERFORMANCE" if bf16 else "ACCURACY",
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": job["threads"],
    }
    model = core.compile_model(str(file_of(job)), "CPU", options)
    request = model.create_infer_request()
    arrays = read_arrays(job)
    inputs = {
        name: array.astype(numpy.int64) if array.dtype == numpy.int32 else array for name, array in arrays.items()
    }
    return lambda: request.infer(inputs) and None, lambda: request.get_output_tensor(0).data


serve(version, prepare, export)
