"""The operators that a network may contain, one module each.

Another operator is three files, which are found without being named anywhere:

    firmware_export/operators/NAME.py            a subclass of ``operator.Operator``
    firmware_export/kernels/NAME.h               the C that its ``kernel_use`` calls
    tests/support/operator_examples/NAME.py      random networks that contain it, for the contract
                                                 tests: reference, onnxruntime and C must agree
"""
