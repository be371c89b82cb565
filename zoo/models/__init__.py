"""The networks, one a file."""

from zoo.models.afm import AFM as AFM
from zoo.models.dcn import DCN as DCN
from zoo.models.dcn_v2 import DCNv2 as DCNv2
from zoo.models.deep_light import DeepLight as DeepLight
from zoo.models.deepfm import DeepFM as DeepFM
from zoo.models.dnn import DNN as DNN
from zoo.models.edcn import EDCN as EDCN
from zoo.models.fibinet import FiBiNET as FiBiNET
from zoo.models.fibinet_plus import FiBiNETPlus as FiBiNETPlus
from zoo.models.finalmlp import FinalMLP as FinalMLP
from zoo.models.finalnet import FinalNet as FinalNet
from zoo.models.fm import FM as FM
from zoo.models.gdcn import GDCN as GDCN
from zoo.models.growth import grow as grow
from zoo.models.lr import LR as LR
from zoo.models.masknet import MaskNet as MaskNet
from zoo.models.wide_deep import WideDeep as WideDeep
from zoo.registry import NETWORKS

MODELS = NETWORKS
