"""Trial 8: twice as many neurons in the hidden layer."""

from cifar_report.spec import Conv2D, Dense, Experiment, Flatten, MaxPooling2D, claim, of_original, published

from .filters import FILTERS_32

DENSE_64 = published(
    FILTERS_32,
    "dense_64",
    "64 hidden neurons",
    (Conv2D(32, 3), MaxPooling2D(2), Flatten(), Dense(64), Dense(10, "softmax")),
)

EXPERIMENT = Experiment(
    id="dense_64",
    order=8,
    section="trials",
    number="8",
    title="More neurons in the hidden layer",
    question="Do 64 neurons in the hidden layer serve the network better than 32?",
    change="The hidden layer has 64 neurons instead of 32, in the network with 32 filters.",
    explanation=(
        "The hidden layer combines features from anywhere in the image; its width is the bottleneck through which all "
        "information must pass. Twice as many neurons double nearly all parameters of this network, with more "
        "expressive power and a higher risk of overfitting."
    ),
    trials=(DENSE_64,),
    claims=of_original(
        {
            "C08a": "64 hidden neurons did better than 32: test accuracy 62.56% against the baseline's 59.59%.",
            "C08b": "The network converges as fast as with 32 hidden neurons, in 6 epochs.",
            "C08c": "Training took clearly more time: 548.6 s against 289.5 s with 32 hidden neurons.",
        },
        claim(
            "C08a.as_written: dense_64 accuracy greater baseline",
            "With 32 filters and 64 hidden neurons the network is more accurate on the test set than the baseline.",
            original_difference=0.0297,
        ),
        claim(
            "C08a.one_change: dense_64 accuracy greater filters_32 one_change",
            "With 64 hidden neurons the network with 32 filters is more accurate on the test set than with 32.",
        ),
        claim(
            "C08b.epochs_to_accuracy.as_written: dense_64 epochs_to_accuracy equal baseline",
            "With 32 filters and 64 hidden neurons the network reaches the fixed validation accuracy as early as the "
            "baseline.",
            original_difference=0.0,
        ),
        claim(
            "C08b.epochs_to_accuracy.one_change: dense_64 epochs_to_accuracy equal filters_32 one_change",
            "With 64 hidden neurons the network with 32 filters reaches the fixed validation accuracy as early as "
            "with 32.",
        ),
        claim(
            "C08b.epoch_of_least_loss.as_written: dense_64 epoch_of_least_loss equal baseline",
            "With 32 filters and 64 hidden neurons the network reaches its least validation loss as early as the "
            "baseline.",
            original_difference=0.0,
        ),
        claim(
            "C08b.epoch_of_least_loss.one_change: dense_64 epoch_of_least_loss equal filters_32 one_change",
            "With 64 hidden neurons the network with 32 filters reaches its least validation loss as early as with 32.",
            original_difference=-6.0,
        ),
        claim(
            "C08c.as_written: dense_64 seconds greater baseline",
            "With 32 filters and 64 hidden neurons the network trains clearly longer than the baseline.",
            original_difference=2.1166,
        ),
        claim(
            "C08c.one_change: dense_64 seconds greater filters_32 one_change",
            "With 64 hidden neurons the network with 32 filters trains clearly longer than with 32.",
            original_difference=1.8948,
        ),
    ),
)
