"""np.gradient replaced by fdx's, and reports of its calls."""
