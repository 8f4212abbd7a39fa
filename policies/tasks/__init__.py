"""What can be learned: one folder a task. Nothing in them needs torch."""
