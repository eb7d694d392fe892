import pytest

from cifar_report.benchmark.probes import profile
from cifar_report.errors import UsageError


def test_time_inside_of_another_operation_counts_once():
    """An operation has the time between its beginning and its end, less what ran inside of it."""
    events = [(0, 100, "Process"), (10, 30, "Conv2D"), (15, 5, "Cast"), (50, 20, "Conv2D"), (200, 7, "Cast")]
    times = profile.self_times(reversed(events))
    assert times == {"Process": 50, "Conv2D": 45, "Cast": 12}
    assert sum(times.values()) == 107, "the two stretches in which anything ran"


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("_MklNativeFusedConv2D", "convolutions, forward"),
        ("Conv2D", "convolutions, forward"),
        ("_MklNativeConv2DBackpropFilterWithBias", "convolutions, gradient to the weights"),
        ("_MklNativeConv2DBackpropInput", "convolutions, gradient to the inputs"),
        ("_MklNativeFusedMatMul", "dense layers, all three products"),
        ("_MklNativeMaxPoolGrad", "pooling, both ways"),
        ("_MklNativeFusedBatchNormGradV3", "batch normalization, both ways"),
        ("ImageProjectiveTransformV3", "fetching and scaling images"),
        ("Process", "scheduling between operations"),
        ("SquaredDifference", profile.REST),
    ],
)
def test_operations_of_either_name_find_their_kind(name, kind):
    """With and without oneDNN, fused or not, an operation belongs to the same kind."""
    assert profile.kind_of(name) == kind


def test_shares_are_of_all_time_and_the_table_has_every_kind_once():
    """The shares of a part add up to one; a kind that a part lacks stands there with nothing."""
    shares = profile.by_kind({"Conv2D": 60, "Cast": 10, "Mul": 20, "Sub": 10})
    assert shares == pytest.approx(
        {"convolutions, forward": 0.6, profile.REST: 0.3, "fetching and scaling images": 0.1}
    )
    lines = profile.table({"one": shares, "two": {profile.SCHEDULING: 1.0}}).splitlines()
    assert lines[2:] == [
        "| convolutions, forward | 60.0 % | 0.0 % |",
        "| fetching and scaling images | 10.0 % | 0.0 % |",
        "| scheduling between operations | 0.0 % | 100.0 % |",
        f"| {profile.REST} | 30.0 % | 0.0 % |",
    ]


@pytest.mark.parametrize("name", ["nothing", "baseline_parallel"])
def test_what_cannot_be_profiled_is_named(name):
    """A part that does not exist, or needs several devices, is refused before anything starts."""
    with pytest.raises(UsageError, match=f"called {name}: there are baseline, "):
        profile.main([name])
