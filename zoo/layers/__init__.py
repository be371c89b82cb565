"""Feature interactions and other layers of the networks, one a file.

`MatrixCross` computes `keras_rs.layers.FeatureCross(projection_dim=None)`, so
that the zoo does not depend on keras-rs; its kernels are Glorot normal.
"""

from zoo.layers.activation import Dice as Dice
from zoo.layers.attention_pooling import AttentionPooling as AttentionPooling
from zoo.layers.circular_pairs import CircularPairs as CircularPairs
from zoo.layers.click_probability import ClickProbability as ClickProbability
from zoo.layers.cross import Cross as Cross
from zoo.layers.cross_mixture import CrossMixture as CrossMixture
from zoo.layers.elementary_symmetric import (
    ElementarySymmetric as ElementarySymmetric,
)
from zoo.layers.factorization_machine import (
    FactorizationMachine as FactorizationMachine,
)
from zoo.layers.field_aware_pairs import FieldAwarePairs as FieldAwarePairs
from zoo.layers.field_offset import FieldOffset as FieldOffset
from zoo.layers.field_sum import FieldSum as FieldSum
from zoo.layers.lorentz_pairs import LorentzPairs as LorentzPairs
from zoo.layers.masked_mean import MaskedMean as MaskedMean
from zoo.layers.matrix_cross import MatrixCross as MatrixCross
from zoo.layers.numeric_embedding import NumericEmbedding as NumericEmbedding
from zoo.layers.pair_dense import PairDense as PairDense
from zoo.layers.pair_products import PairProducts as PairProducts
from zoo.layers.symmetric_pairs import SymmetricPairs as SymmetricPairs
from zoo.layers.vector_scores import VectorScores as VectorScores
from zoo.layers.weighted_pairs import WeightedPairs as WeightedPairs
