"""Feature interactions and other layers of the networks, one a file.

`MatrixCross` computes `keras_rs.layers.FeatureCross(projection_dim=None)`, so
that the zoo does not depend on keras-rs; its kernels are Glorot normal.
"""

from zoo.layers.activation import Dice as Dice
from zoo.layers.attention_pooling import AttentionPooling as AttentionPooling
from zoo.layers.click_probability import ClickProbability as ClickProbability
from zoo.layers.compressed_interaction import (
    CompressedInteraction as CompressedInteraction,
)
from zoo.layers.compressed_pairs import CompressedPairs as CompressedPairs
from zoo.layers.cross import Cross as Cross
from zoo.layers.cross_mixture import CrossMixture as CrossMixture
from zoo.layers.euler_interaction import EulerInteraction as EulerInteraction
from zoo.layers.factorization_machine import (
    FactorizationMachine as FactorizationMachine,
)
from zoo.layers.field_cross import FieldCross as FieldCross
from zoo.layers.field_mixing import FieldMixing as FieldMixing
from zoo.layers.field_offset import FieldOffset as FieldOffset
from zoo.layers.field_sum import FieldSum as FieldSum
from zoo.layers.khatri_rao_neuron import KhatriRaoNeuron as KhatriRaoNeuron
from zoo.layers.logarithmic_transform import (
    LogarithmicTransform as LogarithmicTransform,
)
from zoo.layers.masked_mean import MaskedMean as MaskedMean
from zoo.layers.matrix_cross import MatrixCross as MatrixCross
from zoo.layers.numeric_embedding import NumericEmbedding as NumericEmbedding
from zoo.layers.pair_products import PairProducts as PairProducts
from zoo.layers.phase_rotation import PhaseRotation as PhaseRotation
from zoo.layers.quadratic_neuron import QuadraticNeuron as QuadraticNeuron
from zoo.layers.repeated_passes import RepeatedPasses as RepeatedPasses
from zoo.layers.self_masked_cross import SelfMaskedCross as SelfMaskedCross
