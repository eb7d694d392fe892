"""The data of this study, and what its report says of it."""

from cifar_report.data import DIGITS

DATASET = DIGITS
TITLE = "Handwritten digits of eight by eight pixels"
INTRODUCTION = (
    "The task is to tell apart the ten handwritten digits that come with scikit-learn: 1,797 grey images of 8 by 8 "
    "pixels. The study asks how much a small network gains from more filters, and what residual branches bring when "
    "they are trained with stochastic gradient descent, a cosine schedule and a penalty on large weights."
)
