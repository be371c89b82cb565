"""Feature interactions and other layers of the networks, one a file.

`MatrixCross` computes `keras_rs.layers.FeatureCross(projection_dim=None)`, so
that the zoo does not depend on keras-rs; its kernels are Glorot normal.
"""

from zoo.layers.activation import Dice as Dice
from zoo.layers.acyclic_interaction import (
    AcyclicInteraction as AcyclicInteraction,
)
from zoo.layers.adaptive_dense import AdaptiveDense as AdaptiveDense
from zoo.layers.add_bias import AddBias as AddBias
from zoo.layers.attention_pooling import AttentionPooling as AttentionPooling
from zoo.layers.bi_interaction import BiInteraction as BiInteraction
from zoo.layers.click_probability import ClickProbability as ClickProbability
from zoo.layers.cross import Cross as Cross
from zoo.layers.cross_mixture import CrossMixture as CrossMixture
from zoo.layers.elementary_symmetric import (
    ElementarySymmetric as ElementarySymmetric,
)
from zoo.layers.factorization_machine import (
    FactorizationMachine as FactorizationMachine,
)
from zoo.layers.field_convolution import FieldConvolution as FieldConvolution
from zoo.layers.field_offset import FieldOffset as FieldOffset
from zoo.layers.field_sum import FieldSum as FieldSum
from zoo.layers.group_products import GroupProducts as GroupProducts
from zoo.layers.k_max_pooling import KMaxPooling as KMaxPooling
from zoo.layers.masked_mean import MaskedMean as MaskedMean
from zoo.layers.matrix_cross import MatrixCross as MatrixCross
from zoo.layers.numeric_embedding import NumericEmbedding as NumericEmbedding
from zoo.layers.pair_products import PairProducts as PairProducts
from zoo.layers.row_max_pooling import RowMaxPooling as RowMaxPooling
from zoo.layers.weighted_pair_products import (
    WeightedPairProducts as WeightedPairProducts,
)
