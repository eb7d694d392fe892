"""The parallel variant: the same trainings on several devices at once."""

from msgspec.structs import replace

from cifar_report.spec import Claim, Experiment, Side, Text

from .baseline import BASELINE
from .model_2 import FIRST, MODEL_2

BASELINE_PARALLEL = replace(
    BASELINE,
    id="baseline_parallel",
    title=Text(en="Baseline, parallel", el="Μοντέλο αναφοράς, παράλληλα"),
    strategy="mirrored",
    as_written="baseline",
    one_change="baseline",
    original=None,
)

MODEL_2_PARALLEL = replace(
    MODEL_2,
    id="model_2_parallel",
    title=Text(en="Model 2, first stage, parallel", el="Μοντέλο 2, πρώτο στάδιο, παράλληλα"),
    stages=(FIRST,),
    strategy="mirrored",
    as_written=None,
    one_change=None,
    original=None,
)

SAID = Text(
    en=(
        "The README promises a parallel variant with MirroredStrategy that speeds training up; it was never run, so "
        "there is no number."
    ),
    el=(
        "Το README υπόσχεται μια παράλληλη παραλλαγή με MirroredStrategy που επιταχύνει την εκπαίδευση· δεν "
        "εκτελέστηκε ποτέ, άρα δεν υπάρχει αριθμός."
    ),
)

P1_BASELINE_THROUGHPUT = Claim(
    id="P1.baseline.throughput",
    code="P1",
    statement=Text(
        en="On several devices the baseline trains more images per second than on one.",
        el=(
            "Σε πολλές συσκευές το μοντέλο αναφοράς εκπαιδεύεται με περισσότερες εικόνες ανά δευτερόλεπτο από ό,τι σε "
            "μία."
        ),
    ),
    said=SAID,
    quantity="throughput",
    relation="greater",
    subject=Side("baseline_parallel"),
    comparator=Side("baseline"),
    comparison="as_written",
    margin=0.1,
    family="time",
)

P1_MODEL_2_THROUGHPUT = replace(
    P1_BASELINE_THROUGHPUT,
    id="P1.model_2.throughput",
    statement=Text(
        en="On several devices the first stage of model 2 trains more images per second than on one.",
        el=(
            "Σε πολλές συσκευές το πρώτο στάδιο του μοντέλου 2 εκπαιδεύεται με περισσότερες εικόνες ανά δευτερόλεπτο "
            "από ό,τι σε μία."
        ),
    ),
    subject=Side("model_2_parallel", "first"),
    comparator=Side("model_2", "first"),
)

P1_BASELINE_ACCURACY = Claim(
    id="P1.baseline.accuracy",
    code="P1",
    statement=Text(
        en="On several devices the baseline becomes about as accurate on the test set as on one.",
        el="Σε πολλές συσκευές το μοντέλο αναφοράς αποκτά περίπου την ίδια ακρίβεια στο σύνολο ελέγχου όσο σε μία.",
    ),
    said=SAID,
    quantity="accuracy",
    relation="equal",
    subject=Side("baseline_parallel"),
    comparator=Side("baseline"),
    comparison="as_written",
    margin=0.01,
)

P1_MODEL_2_ACCURACY = replace(
    P1_BASELINE_ACCURACY,
    id="P1.model_2.accuracy",
    statement=Text(
        en="On several devices the first stage of model 2 becomes about as accurate on the test set as on one.",
        el=(
            "Σε πολλές συσκευές το πρώτο στάδιο του μοντέλου 2 αποκτά περίπου την ίδια ακρίβεια στο σύνολο ελέγχου όσο "
            "σε μία."
        ),
    ),
    subject=Side("model_2_parallel", "first"),
    comparator=Side("model_2", "first"),
)

EXPERIMENT = Experiment(
    id="parallel",
    order=0,
    section="parallel",
    title=Text(en="Training on several devices", el="Εκπαίδευση σε πολλές συσκευές"),
    question=Text(
        en="Does training on several devices at once save time without changing the result?",
        el="Εξοικονομεί χρόνο η ταυτόχρονη εκπαίδευση σε πολλές συσκευές χωρίς να αλλάζει το αποτέλεσμα;",
    ),
    change=Text(
        en=(
            "The baseline and the first stage of model 2 are trained under MirroredStrategy, with the same batch "
            "divided among the devices."
        ),
        el=(
            "Το μοντέλο αναφοράς και το πρώτο στάδιο του μοντέλου 2 εκπαιδεύονται με MirroredStrategy, με την ίδια "
            "παρτίδα μοιρασμένη στις συσκευές."
        ),
    ),
    explanation=Text(
        en=(
            "In data-parallel training each device holds a replica of the network, with the same weights. Every batch "
            "is divided among the replicas; each computes the gradient of its own share, and the shares are added "
            "before all replicas make the same step. Since the batch as a whole stays as large as it was, the step is "
            "mathematically the one that a single device would have made; only the order in which the numbers are "
            "added, and so their rounding, may differ. Time is saved as long as the computation that is divided "
            "outweighs the exchange of the gradients. Without graphics processors, the devices here are logical ones "
            "on the cores of one processor."
        ),
        el=(
            "Στην παράλληλη εκπαίδευση ως προς τα δεδομένα κάθε συσκευή διατηρεί ένα αντίγραφο του δικτύου, με τα ίδια "
            "βάρη. Κάθε παρτίδα μοιράζεται στα αντίγραφα· καθένα υπολογίζει την κλίση του δικού του μεριδίου, και τα "
            "μερίδια αθροίζονται πριν κάνουν όλα τα αντίγραφα το ίδιο βήμα. Αφού η παρτίδα ως σύνολο μένει όσο μεγάλη "
            "ήταν, το βήμα είναι μαθηματικά εκείνο που θα έκανε μία μόνο συσκευή· μόνο η σειρά της άθροισης των "
            "αριθμών, άρα και η στρογγύλευσή τους, μπορεί να διαφέρει. Χρόνος εξοικονομείται όσο οι υπολογισμοί που "
            "μοιράζονται υπερτερούν της ανταλλαγής των κλίσεων. Χωρίς επεξεργαστές γραφικών, οι συσκευές είναι εδώ "
            "λογικές, στους πυρήνες ενός επεξεργαστή."
        ),
    ),
    trials=(BASELINE_PARALLEL, MODEL_2_PARALLEL),
    claims=(P1_BASELINE_THROUGHPUT, P1_BASELINE_ACCURACY, P1_MODEL_2_THROUGHPUT, P1_MODEL_2_ACCURACY),
    figures=("curves", "scaling"),
)
