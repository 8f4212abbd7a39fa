"""Judging of each task: one folder per task, and the contract that all of them fulfil."""
