"""What all layers use: types, messages, outputs, threads, and NumPy's gradient."""
