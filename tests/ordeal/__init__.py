"""A trial of trainings: killed, asked to end, fed with nonsense."""
