"""Writes a stage for another runtime, with the shapes of a job. usage: export.py onnx|openvino JOB.json FILE

Runs in a process of its own, so that the memory that torch takes does not count for the runtime that is measured.
"""

import json
import sys
from pathlib import Path

import torch
from modules import MODULES, load_stage, tensors
from protocol import read_arrays


def to_onnx(module, inputs, names, file):
    program = torch.onnx.export(module, tuple(inputs), input_names=names, output_names=["output"], dynamo=True)
    program.save(file, external_data=True)


def to_openvino(module, inputs, names, file):
    import openvino

    model = openvino.convert_model(module, example_input=tuple(inputs), input=[list(x.shape) for x in inputs])
    for port, name in zip(model.inputs, names):
        port.set_names({name})
    openvino.save_model(model, file, compress_to_fp16=False)


if __name__ == "__main__":
    target, job_file, file = sys.argv[1:]
    job = json.loads(Path(job_file).read_text())
    with torch.inference_mode():
        inputs = tensors(job["stage"], read_arrays(job))
        export = {"onnx": to_onnx, "openvino": to_openvino}[target]
        export(load_stage(job), inputs, list(MODULES[job["stage"]].inputs), file)
