"""The ladder of runtimes: names of the ways a policy can fly, from the network to the firmware."""

LADDER = ("float", "onnx", "int8", "c", "mcu")
# Rungs whose flights are replayed through ``int8``, which defines what they must answer.
REPLAYED = ("onnx", "c", "mcu")
