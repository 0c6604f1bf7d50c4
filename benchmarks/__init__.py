"""Every published number: `./run bench` makes them and rewrites BENCHMARKS.md."""
