"""What mmaction2 lacks: data sets, clips, views, mixing, a head."""
