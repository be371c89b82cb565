from zoo.interop.networks.autoint import take_interacting
from zoo.interop.networks.ifm import take_factors
from zoo.interop.sources import deepctr_torch
from zoo.models import DIFM


@deepctr_torch("DIFM", "att_head_num", "att_res")
def from_deepctr_torch(original):
    take_factors(
        original, "bit_wise_net", "transform_matrix_P_bit", "bit_factors"
    )
    residual = original.setting("att_res", True)
    take_interacting(original, "vector_wise_net", "attention", residual)
    original.dense(
        "transform_matrix_P_vec",
        "vector_factors",
        original.embedded,
        original.fields,
        bias=False,
    )
    original.arguments.update(
        attention_units=original.columns.embedding_dim,
        num_heads=original.setting("att_head_num", 4),
        residual="projected" if residual else None,
    )
    return DIFM
