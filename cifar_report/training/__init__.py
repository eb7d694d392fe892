"""From a trial's spec to trained weights; the only place that imports TensorFlow, and only inside workers."""
