"""Prediction by whole models, small ones of every task."""
