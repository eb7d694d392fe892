"""The data of this study, and what its report says of it.

Other data: CIFAR10, CIFAR100, SVHN, MNIST and FASHION_MNIST of cifar_report.data are downloaded once;
``image_folder("photos", "My photographs", size=(32, 32))`` reads a folder with a folder of images for each class;
``arrays("images.npz", "My arrays", ["no", "yes"])`` a file of NumPy arrays.
"""

from cifar_report.data import DIGITS

DATASET = DIGITS
TITLE = "A first study"
INTRODUCTION = "This study asks whether more filters recognize more handwritten digits."
