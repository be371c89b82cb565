"""Feature interactions and other layers of the networks, one a file.

`MatrixCross` computes `keras_rs.layers.FeatureCross(projection_dim=None)`, so
that the zoo does not depend on keras-rs; its kernels are Glorot normal.
"""

from zoo.layers.activation import Dice as Dice
from zoo.layers.attention_pooling import AttentionPooling as AttentionPooling
from zoo.layers.click_probability import ClickProbability as ClickProbability
from zoo.layers.cross import Cross as Cross
from zoo.layers.cross_mixture import CrossMixture as CrossMixture
from zoo.layers.disentangled_attention import (
    DisentangledAttention as DisentangledAttention,
)
from zoo.layers.factorization_machine import (
    FactorizationMachine as FactorizationMachine,
)
from zoo.layers.field_graph import FieldGraph as FieldGraph
from zoo.layers.field_offset import FieldOffset as FieldOffset
from zoo.layers.field_self_attention import (
    FieldSelfAttention as FieldSelfAttention,
)
from zoo.layers.field_sum import FieldSum as FieldSum
from zoo.layers.graph_message import GraphMessage as GraphMessage
from zoo.layers.masked_mean import MaskedMean as MaskedMean
from zoo.layers.matrix_cross import MatrixCross as MatrixCross
from zoo.layers.numeric_embedding import NumericEmbedding as NumericEmbedding
from zoo.layers.outer_product_fusion import (
    OuterProductFusion as OuterProductFusion,
)
from zoo.layers.pair_products import PairProducts as PairProducts
from zoo.layers.similarity_interaction import (
    SimilarityInteraction as SimilarityInteraction,
)
