"""What OpenCV and PyTorch do to pixels as Pillow does it, for all hosts."""
