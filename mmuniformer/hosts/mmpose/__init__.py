"""What mmpose lacks: the augmentation of version 0.16, pictures."""
