"""What mmpretrain lacks: the authors' transforms, token labeling, heads."""
