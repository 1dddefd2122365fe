"""What mmseg lacks: labels on pictures without a wait."""
