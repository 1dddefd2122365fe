"""What users of the five hosts call, on our configs, in one process each."""
