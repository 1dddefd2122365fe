"""What mmdet lacks: masks that are kept where they are not empty."""
