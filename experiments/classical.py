"""Nearest neighbours and nearest class centroid on raw pixels, against the network."""

from cifar_report.spec import ClassicalTrial, Experiment, NearestCentroid, NearestNeighbors, claim, of_original, variant

NEAREST_NEIGHBOR_1 = ClassicalTrial(id="nearest_neighbor_1", title="1 nearest neighbour", method=NearestNeighbors(1))

NEAREST_NEIGHBOR_3 = variant(
    NEAREST_NEIGHBOR_1, "nearest_neighbor_3", "3 nearest neighbours", method=NearestNeighbors(3)
)

NEAREST_CENTROID = ClassicalTrial(id="nearest_centroid", title="Nearest class centroid", method=NearestCentroid())

BOTH = "train+validation"
NEAREST_NEIGHBOR_1_50K = variant(
    NEAREST_NEIGHBOR_1, "nearest_neighbor_1_50k", "1 nearest neighbour, 50,000 images", training_images=BOTH
)
NEAREST_NEIGHBOR_3_50K = variant(
    NEAREST_NEIGHBOR_3, "nearest_neighbor_3_50k", "3 nearest neighbours, 50,000 images", training_images=BOTH
)
NEAREST_CENTROID_50K = variant(
    NEAREST_CENTROID, "nearest_centroid_50k", "Nearest class centroid, 50,000 images", training_images=BOTH
)

PROXY_C14 = (
    "The original does not say which network it means; the reference model stands for all, trained on the same images "
    "as the classifier."
)

EXPERIMENT = Experiment(
    id="classical",
    order=0,
    section="classical",
    title="Nearest neighbours and nearest centroid",
    question="How does the network compare with classifiers that measure distances between raw pixels?",
    change=(
        "Another method takes the network's place: 1 and 3 nearest neighbours and nearest class centroid, on 40,000 "
        "and on 50,000 training images."
    ),
    explanation=(
        "Nearest neighbours store all training images and give a new image the majority class of its nearest ones; "
        "nearest centroid stores one mean image of each class and can draw only linear boundaries. Both use the "
        "Euclidean distance between pixel values, so that a shift counts as much as another object, and neither has a "
        "random start, so that each runs once."
    ),
    trials=(
        NEAREST_NEIGHBOR_1,
        NEAREST_NEIGHBOR_3,
        NEAREST_CENTROID,
        NEAREST_NEIGHBOR_1_50K,
        NEAREST_NEIGHBOR_3_50K,
        NEAREST_CENTROID_50K,
    ),
    claims=of_original(
        {
            "C14": "The network beats 1 and 3 nearest neighbours and nearest centroid; no numbers.",
            "C15": "Three neighbours are more robust than one; no numbers.",
            "C16": "Nearest centroid is fast, while nearest neighbours cost their time at prediction; no numbers.",
        },
        claim(
            "C14.nearest_neighbor_1: baseline accuracy greater nearest_neighbor_1 between_methods",
            "The network is more accurate on the test set than the classifier by 1 nearest neighbour.",
            proxy=PROXY_C14,
        ),
        claim(
            "C14.nearest_neighbor_3: baseline accuracy greater nearest_neighbor_3 between_methods",
            "The network is more accurate on the test set than the classifier by 3 nearest neighbours.",
            proxy=PROXY_C14,
        ),
        claim(
            "C14.nearest_centroid: baseline accuracy greater nearest_centroid between_methods",
            "The network is more accurate on the test set than the classifier by nearest class centroid.",
            proxy=PROXY_C14,
        ),
        claim(
            "C15: nearest_neighbor_3 accuracy greater nearest_neighbor_1 between_methods",
            "3 nearest neighbours are more accurate on the test set than 1.",
            proxy="“More robust” is tested through accuracy on the test images.",
        ),
        claim(
            "C16.centroid_and_1_neighbor: nearest_centroid predict_seconds less nearest_neighbor_1 between_methods",
            "Nearest class centroid predicts in less time than 1 nearest neighbour.",
        ),
        claim(
            "C16.centroid_and_3_neighbors: nearest_centroid predict_seconds less nearest_neighbor_3 between_methods",
            "Nearest class centroid predicts in less time than 3 nearest neighbours.",
        ),
        claim(
            "C16.fit_and_prediction_1_neighbor: nearest_neighbor_1 fit_seconds less nearest_neighbor_1",
            "With 1 nearest neighbour fitting takes less time than prediction.",
            comparison="between_methods",
            comparator_quantity="predict_seconds",
        ),
        claim(
            "C16.fit_and_prediction_3_neighbors: nearest_neighbor_3 fit_seconds less nearest_neighbor_3",
            "With 3 nearest neighbours fitting takes less time than prediction.",
            comparison="between_methods",
            comparator_quantity="predict_seconds",
        ),
    ),
    figures=("methods",),
)
