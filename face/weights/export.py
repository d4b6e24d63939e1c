#!/usr/bin/env python3
"""Makes yunet.bin from YuNet's ONNX file: `export.py yunet_s_640_640.onnx yunet.bin`. Needs the package `onnx`.

The file holds 32-bit little-endian floats in the order in which `detect/network.rs` reads them, a layer after another, weights
before biases. Channels stand in blocks of 16, as the kernels take them:

    3x3 of the image     [3 rows][3 columns][3 colours: blue, green, red][16]
    1x1                  [output block][input channel][16]
    3x3 of each channel  [block][9 taps][16]

The heads of a level (class, objectness, box, landmarks: 1 + 1 + 4 + 10 channels) are one layer of 16 channels here, since they
read the same map.
"""

import sys

import numpy as np
import onnx
from onnx import numpy_helper

BLOCK = 16
HEADS = ("cls", "obj", "bbox", "kps")


def stem(weight):
    return weight.transpose(2, 3, 1, 0)


def pointwise(weight):
    outputs, inputs = weight.shape[:2]
    return weight[:, :, 0, 0].reshape(outputs // BLOCK, BLOCK, inputs).transpose(0, 2, 1)


def depthwise(weight):
    channels = weight.shape[0]
    return weight[:, 0].reshape(channels // BLOCK, BLOCK, 9).transpose(0, 2, 1)


def main(source, target):
    graph = onnx.load(source).graph
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    layers = [
        (tensors[node.input[1]], tensors[node.input[2]], node.input[1])
        for node in graph.node
        if node.op_type == "Conv"
    ]
    trunk = [layer for layer in layers if "bbox_head" not in layer[2]]
    # Only a head's first layer keeps its name in the file; its second one follows it.
    named = [at for at, layer in enumerate(layers) if "bbox_head" in layer[2] and "conv1" in layer[2]]
    heads = {tuple(layers[at][2].split(".")[1:3]): (layers[at], layers[at + 1]) for at in named}
    for level in "012":
        for part in range(2):
            parts = [heads[(f"multi_level_{head}", level)][part] for head in HEADS]
            weight = np.concatenate([weight for weight, _, _ in parts])
            trunk.append((weight, np.concatenate([bias for _, bias, _ in parts]), ""))
    written = []
    for weight, bias, _ in trunk:
        if weight.shape[1:] == (3, 3, 3):
            ordered = stem(weight)
        elif weight.shape[2:] == (1, 1):
            ordered = pointwise(weight)
        else:
            ordered = depthwise(weight)
        written += [ordered.ravel(), bias]
    np.concatenate(written).astype("<f4").tofile(target)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
