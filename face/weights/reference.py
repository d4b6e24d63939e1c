#!/usr/bin/env python3
"""What other implementations make of the detector's network, for the tests: `reference.py yunet_s_640_640.onnx FOLDER`.

Writes `reference.json`: the network's output for a made-up picture by onnxruntime, a level after another and a pixel after
another, 16 values each; and the faces that OpenCV's FaceDetectorYN finds in each `*.png` of the folder: box, five points, score.
Needs the packages `numpy`, `onnx`, `onnxruntime` and `opencv-python-headless`.
"""

import json
import pathlib
import sys

import cv2
import numpy as np
import onnx
import onnxruntime

SIDE = 64
HEADS = ("cls", "obj", "bbox", "kps")


def pattern():
    """Blue, green, red of each pixel, as the test makes them too."""
    y, x, colour = np.meshgrid(np.arange(SIDE), np.arange(SIDE), np.arange(3), indexing="ij")
    return ((7 * x + 13 * y + 29 * colour + x * y) % 256).astype(np.float32)


def network(path):
    model = onnx.load(path)
    # Before the sigmoid, which the detector takes itself; and for pictures of any size.
    before = {node.output[0]: node.input[0] for node in model.graph.node}
    names = []
    for stride in (8, 16, 32):
        for head in HEADS:
            name = f"{head}_{stride}"
            names.append(before[name] if head in ("cls", "obj") else name)
    del model.graph.output[:]
    for name in names:
        model.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    for axis in (2, 3):
        model.graph.input[0].type.tensor_type.shape.dim[axis].dim_value = SIDE
    # It warns that the sizes are not those of the file, which is what is wanted.
    onnxruntime.set_default_logger_severity(3)
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    values = session.run(names, {"input": pattern().transpose(2, 0, 1)[None]})
    levels = [np.concatenate([head[0] for head in values[level : level + 4]], axis=1) for level in (0, 4, 8)]
    return [round(float(value), 5) for value in np.concatenate(levels).ravel()]


def faces(path, picture):
    image = cv2.imread(str(picture))
    height, width = image.shape[:2]
    detector = cv2.FaceDetectorYN.create(path, "", (width, height), 0.6, 0.3, 5000)
    _, found = detector.detect(image)
    return [] if found is None else [[round(float(value), 2) for value in face] for face in found]


def main(path, folder):
    folder = pathlib.Path(folder)
    pictures = sorted(folder.glob("*.png"))
    reference = {
        "network": network(path),
        "faces": {picture.name: faces(path, picture) for picture in pictures},
    }
    (folder / "reference.json").write_text(json.dumps(reference) + "\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
