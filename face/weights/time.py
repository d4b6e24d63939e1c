#!/usr/bin/env python3
"""How long onnxruntime takes for the detector's network, on one thread: `time.py yunet_s_640_640.onnx SIDE PASSES`.

Prints the median of the passes in seconds. Needs the packages `numpy`, `onnx` and `onnxruntime`.
"""

import statistics
import sys
import time

import numpy as np
import onnx
import onnxruntime


def main(path, side, passes):
    model = onnx.load(path)
    for axis in (2, 3):
        model.graph.input[0].type.tensor_type.shape.dim[axis].dim_value = side
    for output in model.graph.output:
        output.type.tensor_type.ClearField("shape")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    picture = np.random.default_rng(1).integers(0, 256, (1, 3, side, side)).astype(np.float32)
    times = []
    for _ in range(passes + 1):
        started = time.perf_counter()
        session.run(None, {model.graph.input[0].name: picture})
        times.append(time.perf_counter() - started)
    print(statistics.median(times[1:]))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
