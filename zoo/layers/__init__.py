"""Feature interactions and other layers of the networks, one a file.

`MatrixCross` computes `keras_rs.layers.FeatureCross(projection_dim=None)`, so
that the zoo does not depend on keras-rs; its kernels are Glorot normal.
"""

from zoo.layers.activation import Dice as Dice
from zoo.layers.attention_pooling import AttentionPooling as AttentionPooling
from zoo.layers.bilinear_fusion import BilinearFusion as BilinearFusion
from zoo.layers.bilinear_interaction import (
    BilinearInteraction as BilinearInteraction,
)
from zoo.layers.click_probability import ClickProbability as ClickProbability
from zoo.layers.cross import Cross as Cross
from zoo.layers.cross_mixture import CrossMixture as CrossMixture
from zoo.layers.factorization_machine import (
    FactorizationMachine as FactorizationMachine,
)
from zoo.layers.factorized_dense import FactorizedDense as FactorizedDense
from zoo.layers.field_normalization import (
    FieldNormalization as FieldNormalization,
)
from zoo.layers.field_offset import FieldOffset as FieldOffset
from zoo.layers.field_regulation import FieldRegulation as FieldRegulation
from zoo.layers.field_sum import FieldSum as FieldSum
from zoo.layers.gated_cross import GatedCross as GatedCross
from zoo.layers.group_excitation import GroupExcitation as GroupExcitation
from zoo.layers.learned_vector import LearnedVector as LearnedVector
from zoo.layers.masked_mean import MaskedMean as MaskedMean
from zoo.layers.matrix_cross import MatrixCross as MatrixCross
from zoo.layers.numeric_embedding import NumericEmbedding as NumericEmbedding
from zoo.layers.pair_products import PairProducts as PairProducts
from zoo.layers.squeeze_excitation import SqueezeExcitation as SqueezeExcitation
