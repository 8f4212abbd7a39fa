"""Networks, teachers, training, quantisation, policy bundles and guidance."""
