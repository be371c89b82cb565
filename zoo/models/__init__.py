"""The networks, one a file."""

from zoo.models.afm import AFM as AFM
from zoo.models.afn import AFN as AFN
from zoo.models.dcn import DCN as DCN
from zoo.models.dcn_v2 import DCNv2 as DCNv2
from zoo.models.deepfm import DeepFM as DeepFM
from zoo.models.dnn import DNN as DNN
from zoo.models.eulernet import EulerNet as EulerNet
from zoo.models.fcn import FCN as FCN
from zoo.models.fint import FINT as FINT
from zoo.models.fm import FM as FM
from zoo.models.growth import grow as grow
from zoo.models.lr import LR as LR
from zoo.models.qnn import QNN as QNN
from zoo.models.wide_deep import WideDeep as WideDeep
from zoo.models.wukong import WuKong as WuKong
from zoo.models.xdeepfm import XDeepFM as XDeepFM
from zoo.models.xdeepint import XDeepInt as XDeepInt
from zoo.registry import NETWORKS

MODELS = NETWORKS
