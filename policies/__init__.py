"""Networks, teachers, training, shrinking, the policy bundle and guidance; knows no C."""
