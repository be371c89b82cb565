"""Feature interactions and other layers of the networks, one a file.

`MatrixCross` computes `keras_rs.layers.FeatureCross(projection_dim=None)`, so
that the zoo does not depend on keras-rs; its kernels are Glorot normal.
"""

from zoo.layers.activation import Dice as Dice
from zoo.layers.activation import UnitPReLU as UnitPReLU
from zoo.layers.acyclic_interaction import (
    AcyclicInteraction as AcyclicInteraction,
)
from zoo.layers.adaptive_dense import AdaptiveDense as AdaptiveDense
from zoo.layers.add_bias import AddBias as AddBias
from zoo.layers.attention_pooling import AttentionPooling as AttentionPooling
from zoo.layers.bi_interaction import BiInteraction as BiInteraction
from zoo.layers.bilinear_fusion import BilinearFusion as BilinearFusion
from zoo.layers.bilinear_interaction import (
    BilinearInteraction as BilinearInteraction,
)
from zoo.layers.circular_pairs import CircularPairs as CircularPairs
from zoo.layers.click_probability import ClickProbability as ClickProbability
from zoo.layers.compressed_interaction import (
    CompressedInteraction as CompressedInteraction,
)
from zoo.layers.compressed_pairs import CompressedPairs as CompressedPairs
from zoo.layers.cross import Cross as Cross
from zoo.layers.cross_mixture import CrossMixture as CrossMixture
from zoo.layers.disentangled_attention import (
    DisentangledAttention as DisentangledAttention,
)
from zoo.layers.domain_experts import DomainExperts as DomainExperts
from zoo.layers.domain_normalization import (
    DomainNormalization as DomainNormalization,
)
from zoo.layers.domain_scale import DomainScale as DomainScale
from zoo.layers.elementary_symmetric import (
    ElementarySymmetric as ElementarySymmetric,
)
from zoo.layers.euler_interaction import EulerInteraction as EulerInteraction
from zoo.layers.event_attention import EventAttention as EventAttention
from zoo.layers.factorization_machine import (
    FactorizationMachine as FactorizationMachine,
)
from zoo.layers.factorized_dense import FactorizedDense as FactorizedDense
from zoo.layers.field_aware_pairs import FieldAwarePairs as FieldAwarePairs
from zoo.layers.field_convolution import FieldConvolution as FieldConvolution
from zoo.layers.field_cross import FieldCross as FieldCross
from zoo.layers.field_graph import FieldGraph as FieldGraph
from zoo.layers.field_mixing import FieldMixing as FieldMixing
from zoo.layers.field_normalization import (
    FieldNormalization as FieldNormalization,
)
from zoo.layers.field_offset import FieldOffset as FieldOffset
from zoo.layers.field_regulation import FieldRegulation as FieldRegulation
from zoo.layers.field_self_attention import (
    FieldSelfAttention as FieldSelfAttention,
)
from zoo.layers.field_sum import FieldSum as FieldSum
from zoo.layers.fourier_filter import FourierFilter as FourierFilter
from zoo.layers.gated_cross import GatedCross as GatedCross
from zoo.layers.graph_message import GraphMessage as GraphMessage
from zoo.layers.group_dense import GroupDense as GroupDense
from zoo.layers.group_excitation import GroupExcitation as GroupExcitation
from zoo.layers.group_products import GroupProducts as GroupProducts
from zoo.layers.hash_agreement import HashAgreement as HashAgreement
from zoo.layers.hashed_sum import HashedSum as HashedSum
from zoo.layers.k_max_pooling import KMaxPooling as KMaxPooling
from zoo.layers.khatri_rao_neuron import KhatriRaoNeuron as KhatriRaoNeuron
from zoo.layers.learned_vector import LearnedVector as LearnedVector
from zoo.layers.logarithmic_transform import (
    LogarithmicTransform as LogarithmicTransform,
)
from zoo.layers.lorentz_pairs import LorentzPairs as LorentzPairs
from zoo.layers.masked_gru import MaskedGRU as MaskedGRU
from zoo.layers.masked_mean import MaskedMean as MaskedMean
from zoo.layers.masked_sum import MaskedSum as MaskedSum
from zoo.layers.matrix_cross import MatrixCross as MatrixCross
from zoo.layers.numeric_embedding import NumericEmbedding as NumericEmbedding
from zoo.layers.outer_product_fusion import (
    OuterProductFusion as OuterProductFusion,
)
from zoo.layers.pair_dense import PairDense as PairDense
from zoo.layers.pair_products import PairProducts as PairProducts
from zoo.layers.phase_rotation import PhaseRotation as PhaseRotation
from zoo.layers.positions import Positions as Positions
from zoo.layers.projected_scores import ProjectedScores as ProjectedScores
from zoo.layers.quadratic_neuron import QuadraticNeuron as QuadraticNeuron
from zoo.layers.repeated_passes import RepeatedPasses as RepeatedPasses
from zoo.layers.row_max_pooling import RowMaxPooling as RowMaxPooling
from zoo.layers.self_masked_cross import SelfMaskedCross as SelfMaskedCross
from zoo.layers.self_weighted_sum import SelfWeightedSum as SelfWeightedSum
from zoo.layers.session_bias import SessionBias as SessionBias
from zoo.layers.similarity_interaction import (
    SimilarityInteraction as SimilarityInteraction,
)
from zoo.layers.squeeze_excitation import SqueezeExcitation as SqueezeExcitation
from zoo.layers.stacked_dense import StackedDense as StackedDense
from zoo.layers.star_dense import StarDense as StarDense
from zoo.layers.symmetric_pairs import SymmetricPairs as SymmetricPairs
from zoo.layers.target_attention import TargetAttention as TargetAttention
from zoo.layers.temporal_interest import TemporalInterest as TemporalInterest
from zoo.layers.top_events import TopEvents as TopEvents
from zoo.layers.transformer_block import TransformerBlock as TransformerBlock
from zoo.layers.vector_scores import VectorScores as VectorScores
from zoo.layers.weighted_pair_products import (
    WeightedPairProducts as WeightedPairProducts,
)
from zoo.layers.weighted_pairs import WeightedPairs as WeightedPairs
