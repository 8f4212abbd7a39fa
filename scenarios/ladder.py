"""The ladder of runtimes: the stages of a policy that can fly, from network to firmware."""

LADDER = ("float", "onnx", "int8", "c", "mcu")
# Rungs whose flights are replayed through ``int8``, which defines their outputs.
REPLAYED = ("onnx", "c", "mcu")
