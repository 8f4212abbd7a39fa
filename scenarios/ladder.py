"""The ladder of runtimes: the stages of a policy that can fly, from network to firmware."""

LADDER = ("float", "onnx", "int8", "c", "mcu")
# Rungs whose frames are replayed through ``int8``; their outputs must equal its outputs.
REPLAYED = ("onnx", "c", "mcu")
