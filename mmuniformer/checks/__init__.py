"""What is wrong with data, classes and weights, before the first step."""
