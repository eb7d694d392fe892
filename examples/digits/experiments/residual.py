"""A residual network, trained with SGD, a cosine schedule and an L2 penalty."""

from cifar_report.spec import Conv2D, Experiment, Flatten, KerasLayer, KerasObject, Residual, claim, variant

from .baseline import BASELINE

L2 = KerasObject("L2", {"l2": 1e-4})
STEPS = 15 * 37  # epochs times batches: 1,153 images for training in batches of 32

RESIDUAL = variant(
    BASELINE,
    "residual",
    "Residual, SGD",
    layers=(
        Conv2D(16, 3, padding="same", kernel_regularizer=L2),
        Residual((Conv2D(16, 3, padding="same", kernel_regularizer=L2), KerasLayer("SpatialDropout2D", {"rate": 0.1}))),
        Residual((Conv2D(16, 3, padding="same", kernel_regularizer=L2),)),
        KerasLayer("AveragePooling2D", {"pool_size": 2}),
        Flatten(),
        BASELINE.layers[-1],
    ),
    optimizer=KerasObject("SGD", {"momentum": 0.9}),
    learning_rate=KerasObject("CosineDecay", {"initial_learning_rate": 0.05, "decay_steps": STEPS}),
)

EXPERIMENT = Experiment(
    id="residual",
    order=2,
    title="Residual branches",
    question="Do residual branches, trained with SGD, recognize more digits than one convolution?",
    change="Two residual branches of 16 filters; SGD with momentum, a cosine schedule and an L2 penalty.",
    explanation="A residual branch adds what its convolutions find to what came in: a short way for the gradient.",
    trials=(RESIDUAL,),
    claims=(
        claim(
            "D3: residual accuracy greater baseline",
            "The residual network recognizes more digits than one convolution of eight filters.",
        ),
    ),
)
