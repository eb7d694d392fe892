"""Map what lies beside the package in a checkout into it; all else stands in pyproject.toml."""

from setuptools import find_namespace_packages, setup

setup(
    packages=[
        *find_namespace_packages(include=["cifar_report*"]),
        *("cifar_report.experiments", "cifar_report.templates", "cifar_report.templates.sections"),
        *(f"cifar_report.examples.{name}" for name in ("digits", "digits.experiments", "new", "new.experiments")),
    ],
    package_dir={f"cifar_report.{name}": name for name in ("examples", "experiments", "templates")},
)
