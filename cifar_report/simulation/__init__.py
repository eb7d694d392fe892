"""Bundles with known truth, made without training: for tests, for growth and for the method's own error rates."""

from cifar_report.simulation.bundles import Simulation, simulate_bundle
