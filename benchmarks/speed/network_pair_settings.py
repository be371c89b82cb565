"""Settings of FuxiCTR's networks that are timed beside the zoo's."""

from typing import Any

UNITS = [400, 400, 400]
DIM = 10
# By the name of the zoo: the class, and its settings beside its defaults.
SETTINGS: dict[str, tuple[str, dict[str, Any]]] = {
    "afm": ("AFM", {}),
    "afn": ("AFN", {"afn_hidden_units": UNITS, "logarithmic_neurons": 400}),
    "aoanet": ("AOANet", {"dnn_hidden_units": UNITS}),
    "autoint": ("AutoInt", {"dnn_hidden_units": UNITS, "attention_dim": 64}),
    "ccpm": ("CCPM", {}),
    "dcn": ("DCN", {"dnn_hidden_units": UNITS}),
    "dcn_v2": ("DCNv2", {"parallel_dnn_hidden_units": UNITS}),
    "destine": ("DESTINE", {"dnn_hidden_units": UNITS, "num_heads": 1}),
    "dnn": ("DNN", {"hidden_units": UNITS}),
    "dssm": ("DSSM", {"user_tower_units": UNITS, "item_tower_units": UNITS}),
    "deep_crossing": ("DeepCrossing", {"residual_blocks": [400, 400]}),
    "deepfm": ("DeepFM", {"hidden_units": UNITS}),
    "deep_im": ("DeepIM", {"hidden_units": UNITS}),
    "edcn": ("EDCN", {}),
    "eulernet": ("EulerNet", {"shape": [39]}),
    "ffm": ("FFM", {}),
    "fgcnn": ("FGCNN", {"dnn_hidden_units": UNITS}),
    "flen": ("FLEN", {"dnn_hidden_units": UNITS}),
    "fm": ("FM", {}),
    "fibinet": ("FiBiNET", {"hidden_units": UNITS}),
    "fi_gnn": ("FiGNN", {}),
    "finalmlp": (
        "FinalMLP",
        {"mlp1_hidden_units": UNITS, "mlp2_hidden_units": UNITS},
    ),
    "finalnet": (
        "FinalNet",
        {"block1_hidden_units": UNITS, "block2_hidden_units": UNITS},
    ),
    "fmfm": ("FmFM", {}),
    "fwfm": ("FwFM", {}),
    "gdcn": ("GDCN", {"dnn_hidden_units": UNITS}),
    "hfm": ("HFM", {"hidden_units": UNITS, "hidden_activations": "relu"}),
    "hofm": ("HOFM", {}),
    "interhat": ("InterHAt", {"hidden_units": UNITS, "num_heads": 1}),
    "lr": ("LR", {}),
    "lorentz_fm": ("LorentzFM", {}),
    "masknet": ("MaskNet", {"dnn_hidden_units": UNITS}),
    "nfm": ("NFM", {"hidden_units": UNITS}),
    "onn": ("ONN", {"hidden_units": UNITS, "embedding_dim": 2}),
    "pnn": ("PNN", {"hidden_units": UNITS}),
    "ppnet": ("PPNet", {"hidden_units": UNITS, "gate_priors": ["C0", "C1"]}),
    "sam": ("SAM", {}),
    "wide_deep": ("WideDeep", {"hidden_units": UNITS}),
    "wukong": ("WuKong", {"mlp_hidden_units": UNITS}),
    "xdeepfm": ("xDeepFM", {"dnn_hidden_units": UNITS}),
}
# The folder of a class, if it is not the class's name.
FOLDERS = {
    "DCN": "DCN/DCN_torch",
    "DualMLP": "FinalMLP",
    "FFMv2": "FFM",
    "DNN": "DNN/DNN_torch",
    "DeepFM": "DeepFM/DeepFM_torch",
    "ONN": "ONN/ONN_torch",
    "PPNet": "PEPNet",
    "WideDeep": "WideDeep/WideDeep_torch",
}
