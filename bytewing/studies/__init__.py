"""Benchmarks, demos and measurements that use several packages."""
