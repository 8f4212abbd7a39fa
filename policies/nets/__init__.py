"""Network architectures, one module a task."""
