import keras
import numpy as np
import pytest

from zoo import layers


def float32(values):
    return np.array(values, dtype="float32")


def numpy(tensor):
    return keras.ops.convert_to_numpy(tensor)


def test_field_offset_stacks_the_vocabularies():
    ids = np.array([[0, 0, 0], [1, 2, 3]], dtype="int32")
    rows = numpy(layers.FieldOffset([10, 20, 5])(ids))
    np.testing.assert_array_equal(rows, [[0, 10, 30], [1, 12, 33]])
    assert rows.dtype == "int32"


def test_factorization_machine_is_the_sum_of_pairwise_products():
    # 1*3 + 2*4 + 1*5 + 2*6 + 3*5 + 4*6
    vectors = float32([[[1, 2], [3, 4], [5, 6]]])
    assert numpy(layers.FactorizationMachine()(vectors)).tolist() == [[67.0]]


def test_field_sum():
    vectors = float32([[[1, 2], [3, 4], [5, 6]]])
    assert numpy(layers.FieldSum()(vectors)).tolist() == [[9.0, 12.0]]


def test_cross_by_hand():
    layer = layers.Cross()
    first, current = float32([[1, 2]]), float32([[3, 4]])
    layer([first, current])
    layer.kernel.assign([[0.5], [1.0]])
    layer.bias.assign([0.1, 0.2])
    # <x, w> = 5.5
    np.testing.assert_allclose(
        numpy(layer([first, current])), [[5.5 + 0.1 + 3, 11 + 0.2 + 4]]
    )


def test_matrix_cross_by_hand():
    layer = layers.MatrixCross()
    first, current = float32([[1, 2]]), float32([[3, 4]])
    layer([first, current])
    layer.kernel.assign([[0.5, 0.0], [1.0, 2.0]])
    layer.bias.assign([0.1, 0.2])
    # x W = [5.5, 8]
    np.testing.assert_allclose(
        numpy(layer([first, current])), [[5.6 + 3, 2 * 8.2 + 4]], rtol=1e-6
    )


def test_click_probability_adds_its_bias():
    layer = layers.ClickProbability()
    assert numpy(layer(float32([[0.0]]))).tolist() == [[0.5]]
    layer.bias.assign([np.log(3.0)])
    np.testing.assert_allclose(numpy(layer(float32([[0.0]]))), 0.75, rtol=1e-6)


def test_a_masked_mean_leaves_padding_out():
    vectors = float32([[[9.0, 9.0], [1.0, 2.0], [3.0, 6.0]]] * 2)
    mask = np.array([[False, True, True], [False, False, False]])
    means = numpy(layers.MaskedMean()([vectors, mask]))
    assert means.tolist() == [[2.0, 4.0], [0.0, 0.0]]


def test_a_numeric_embedding_is_the_value_times_a_vector():
    layer = layers.NumericEmbedding(2)
    layer.build((None, 2))
    layer.embeddings.assign([[1.0, 2.0], [3.0, 4.0]])
    fields = numpy(layer(float32([[0.5, 10.0]])))
    assert fields.tolist() == [[[0.5, 1.0], [30.0, 40.0]]]


def test_dice_by_hand():
    layer = layers.Dice(epsilon=0.0)
    layer.build((None, 2))
    layer.alpha.assign([0.5, 0.0])
    layer.norm.moving_mean.assign([1.0, 0.0])
    layer.norm.moving_variance.assign([4.0, 1.0])
    share = 1 / (1 + np.exp(-np.array([1.0, -2.0])))
    expected = [3.0 * (share[0] + (1 - share[0]) * 0.5), -2.0 * share[1]]
    result = numpy(layer(float32([[3.0, -2.0]]), training=False))
    np.testing.assert_allclose(result, [expected], rtol=1e-6)


def test_columns_may_share_the_ids_of_a_field():
    rows = layers.FieldOffset([10, 20], columns=[0, 1, 1, 0])(
        np.array([[1, 1, 2, 3]], "int32")
    )
    assert numpy(rows).tolist() == [[1, 11, 12, 3]]


def test_a_mixture_whose_gate_picks_one_expert_is_that_expert():
    mixture = layers.CrossMixture(num_layers=1, low_rank=2, num_experts=2)
    single = layers.CrossMixture(num_layers=1, low_rank=2, num_experts=1)
    x = np.abs(np.random.default_rng(0).normal(size=(4, 3))).astype("float32")
    mixture(x), single(x)
    gate = np.zeros((3, 2), "float32")
    gate[:, 0], gate[:, 1] = -1e3, 1e3
    mixture.gate.assign(gate)
    for kernels in ("left_kernels", "right_kernels", "core_kernels"):
        [of_mixture], [of_single] = (
            getattr(layer, kernels) for layer in (mixture, single)
        )
        of_single.assign(of_mixture[1:])
    np.testing.assert_allclose(numpy(mixture(x)), numpy(single(x)), rtol=1e-5)


DOMAIN, MASK = ("int32",), ("bool", 3)
CASES = [
    (layers.FieldOffset, {"vocabulary_sizes": [4, 5]}, [("int32", 2)]),
    (
        layers.CompressedInteraction,
        {"units": (6, 4), "activation": "relu", "split_half": True},
        [(None, 3, 4)],
    ),
    (layers.CompressedPairs, {"rank": 2}, [(None, 3, 4)]),
    (layers.SelfWeightedSum, {}, [(None, 3, 4)]),
    (
        layers.StackedDense,
        {"stack": 3, "units": 5, "use_bias": False},
        [(None, 3, 4)],
    ),
    (
        layers.EulerInteraction,
        {"units": 5, "layer_norm": True},
        [(None, 3, 4), (None, 3, 4)],
    ),
    (layers.FieldCross, {"scaled": True}, [(None, 3, 4), (None, 3, 4)]),
    (layers.FieldMixing, {"units": 5, "use_bias": True}, [(None, 3, 4)]),
    (
        layers.KhatriRaoNeuron,
        {"num_heads": 2, "normalization": "batch"},
        [(None, 3, 4)],
    ),
    (
        layers.LogarithmicTransform,
        {"neurons": 5, "normalized": "elements", "use_bias": True},
        [(None, 3, 4)],
    ),
    (layers.PhaseRotation, {}, [(None, 3, 4)]),
    (layers.QuadraticNeuron, {"neuron_type": "T7"}, [(None, 4)]),
    (
        layers.RepeatedPasses,
        {"stack": [layers.KhatriRaoNeuron(dropout=0.1)]},
        [(None, 3, 4)],
    ),
    (
        layers.SelfMaskedCross,
        {"batch_norm": True},
        [(None, 2, 4), (None, 2, 4)],
    ),
    (layers.FactorizationMachine, {}, [(None, 3, 4)]),
    (layers.FieldSum, {}, [(None, 3, 4)]),
    (layers.Cross, {"kernel_regularizer": "l2"}, [(None, 4), (None, 4)]),
    (layers.MatrixCross, {"kernel_regularizer": "l2"}, [(None, 4), (None, 4)]),
    (layers.CrossMixture, {"num_layers": 2, "low_rank": 3}, [(None, 4)]),
    (layers.ClickProbability, {}, [(None, 1)]),
    (layers.NumericEmbedding, {"embedding_dim": 3}, [(None, 4)]),
    (layers.MaskedMean, {}, [(None, 5, 3), (None, 5)]),
    (layers.Dice, {"epsilon": 1e-3}, [(None, 4)]),
    (layers.BiInteraction, {}, [(None, 3, 4)]),
    (layers.WeightedPairProducts, {"kernel": "matrix"}, [(None, 3, 4)]),
    (layers.WeightedPairProducts, {"kernel": "scalar"}, [(None, 3, 4)]),
    (layers.AddBias, {}, [(None, 4)]),
    (layers.GroupProducts, {}, [(None, 2, 4), (None, 1, 4), (None, 3, 4)]),
    (
        layers.FieldConvolution,
        {"filters": 3, "height": 2, "padding": "full"},
        [(None, 5, 4, 2)],
    ),
    (layers.KMaxPooling, {"k": 3, "keep_order": False}, [(None, 5, 4, 2)]),
    (layers.RowMaxPooling, {"size": 2}, [(None, 5, 4, 2)]),
    (
        layers.AdaptiveDense,
        {"units": 3, "rank": 2, "inner": 4, "given_bias": False},
        [(None, 5), (None, 4)],
    ),
    (
        layers.AcyclicInteraction,
        {"aggregation": "outer"},
        [(None, 3, 4), (None, 3, 4)],
    ),
    (
        layers.FieldSelfAttention,
        {"units": 6, "num_heads": 2, "residual": "projected", "use_bias": True},
        [(None, 3, 4)],
    ),
    (layers.LorentzPairs, {}, [(None, 3, 4)]),
    (layers.LearnedVector, {"units": 5}, [(None, 4)]),
    (layers.ElementarySymmetric, {"order": 3}, [(None, 3, 4)]),
    (layers.FieldRegulation, {"temperature": 2}, [(None, 3, 4)]),
    (layers.PairProducts, {"output": "hadamard"}, [(None, 3, 4)]),
    (layers.BilinearInteraction, {"kind": "each"}, [(None, 3, 4)]),
    (
        layers.FactorizedDense,
        {"units": 6, "residual": "sum"},
        [(None, 4)],
    ),
    (layers.FieldNormalization, {"epsilon": 1e-3}, [(None, 3, 4)]),
    (
        layers.SimilarityInteraction,
        {"pooled": False, "residual": False},
        [(None, 3, 4)],
    ),
    (
        layers.PairDense,
        {"units": 5, "activation": "relu", "normalize": False},
        [(None, 3, 4)],
    ),
    (layers.AttentionPooling, {"units": 5, "dropout": 0.1}, [(None, 3, 4)]),
    (layers.SqueezeExcitation, {"reduction_ratio": 2}, [(None, 3, 4)]),
    (layers.VectorScores, {"scores_initializer": "ones"}, [(None, 3, 4)]),
    (layers.FieldGraph, {}, [(None, 3, 4)]),
    (layers.OuterProductFusion, {"vectors": 2}, [(None, 3, 4), (None, 5, 4)]),
    (layers.BilinearFusion, {"num_heads": 2}, [(None, 4), (None, 6)]),
    (layers.GroupExcitation, {"num_groups": 2}, [(None, 3, 4)]),
    (
        layers.CircularPairs,
        {"kind": "correlation", "output": "pairs"},
        [(None, 3, 4)],
    ),
    (layers.GatedCross, {}, [(None, 4), (None, 4)]),
    (layers.GraphMessage, {}, [(None, 3, 4), (None, 3, 3)]),
    (layers.WeightedPairs, {"kind": "vector"}, [(None, 3, 4)]),
    (layers.SymmetricPairs, {}, [(None, 3, 4)]),
    (layers.FieldAwarePairs, {"output": "hadamard"}, [(None, 3, 2, 4)]),
    (
        layers.DisentangledAttention,
        {"units": 6, "num_heads": 2},
        [(None, 3, 4)],
    ),
    (
        layers.TransformerBlock,
        {"num_heads": 2, "activation": "leaky_relu", "causal": True},
        [(None, 3, 4), (None, 3)],
    ),
    (layers.Positions, {"dim": 3}, [(None, 3, 4)]),
    (
        layers.MaskedGRU,
        {"units": 5, "attention": "update", "reset_after": False},
        [(None, 3, 4), (None, 3), (None, 3)],
    ),
    (
        layers.EventAttention,
        {"num_heads": 2, "separate": True, "use_bias": False},
        [(None, 3, 4), (None, 3)],
    ),
    (layers.GroupDense, {"units": 3, "groups": 2}, [(None, 3, 4)]),
    (
        layers.TemporalInterest,
        {"num_heads": 2, "projected": True},
        [(None, 3, 4), (None, 4), (None, 3)],
    ),
    (layers.SessionBias, {}, [(None, 3, 2, 4)]),
    (layers.UnitPReLU, {}, [(None, 3, 4)]),
    (
        layers.DomainExperts,
        {"units": 5, "num_domains": 3},
        [(None, 2, 4), DOMAIN],
    ),
    (layers.DomainNormalization, {"num_domains": 3}, [(None, 4), DOMAIN]),
    (layers.DomainScale, {"num_domains": 3}, [(None, 4), DOMAIN]),
    (
        layers.MaskedSum,
        {"softmax": True},
        [(None, 3, 4), (None, 3), MASK],
    ),
    (layers.StackedDense, {"stack": 2, "units": 5}, [(None, 2, 4)]),
    (
        layers.StarDense,
        {"units": 5, "num_domains": 3},
        [(None, 4), DOMAIN],
    ),
    (
        layers.TargetAttention,
        {"units": 6, "num_heads": 2, "dropout": 0.1, "top": 3},
        [(None, 4), (None, 5, 4), (None, 5)],
    ),
    (
        layers.TargetAttention,
        {"units": 4, "num_heads": 2, "projected": False, "top": 3},
        [(None, 4), (None, 5, 4), (None, 5)],
    ),
    (
        layers.TopEvents,
        {"count": 2, "in_order": True, "padding_last": False},
        [(None, 5, 4), (None, 5), (None, 3, 5)],
    ),
    (
        layers.HashAgreement,
        {"bits": 6, "num_hashes": 2},
        [(None, 3, 4), (None, 5, 4)],
    ),
    (
        layers.HashedSum,
        {"bits": 2, "num_hashes": 3, "normalized": True},
        [(None, 4), (None, 5, 4), (None, 5)],
    ),
    (layers.ProjectedScores, {"units": 6}, [(None, 4), (None, 5, 4)]),
    (
        layers.FourierFilter,
        {"blocks": 2, "dropout": 0.1},
        [(None, 3, 5, 4)],
    ),
]


def test_every_layer_is_a_case():
    public = {v for v in vars(layers).values() if isinstance(v, type)}
    assert public == {case[0] for case in CASES}


@pytest.mark.trained_often
@pytest.mark.parametrize(
    "layer_class, arguments, shapes", CASES, ids=lambda c: str(c)[:40]
)
def test_config_shape_and_keras_file(layer_class, arguments, shapes, tmp_path):
    # A dtype other than float32 stands in the place of the batch.
    inputs = [
        keras.Input(shape[1:], dtype=shape[0] or "float32") for shape in shapes
    ]
    layer = layer_class(**arguments)
    again = layer_class.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    model = keras.Model(inputs, layer(inputs if len(inputs) > 1 else inputs[0]))
    x = [np.ones((2, *shape[1:]), shape[0] or "int32") for shape in shapes]
    outputs = keras.tree.flatten(model.predict(x, verbose=0))
    for tensor, output in zip(model.outputs, outputs, strict=True):
        assert tensor.shape[1:] == output.shape[1:]
    model.save(tmp_path / "layer.keras")
    loaded = keras.saving.load_model(tmp_path / "layer.keras")
    again = keras.tree.flatten(loaded.predict(x, verbose=0))
    for first, second in zip(outputs, again, strict=True):
        np.testing.assert_array_equal(first, second)
