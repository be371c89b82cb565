"""The networks, one a file."""

from zoo.models.afm import AFM as AFM
from zoo.models.dcn import DCN as DCN
from zoo.models.dcn_v2 import DCNv2 as DCNv2
from zoo.models.deep_fefm import DeepFEFM as DeepFEFM
from zoo.models.deepfm import DeepFM as DeepFM
from zoo.models.dnn import DNN as DNN
from zoo.models.fat_deep_ffm import FATDeepFFM as FATDeepFFM
from zoo.models.ffm import FFM as FFM
from zoo.models.fm import FM as FM
from zoo.models.fmfm import FmFM as FmFM
from zoo.models.fwfm import FwFM as FwFM
from zoo.models.growth import grow as grow
from zoo.models.hfm import HFM as HFM
from zoo.models.hofm import HOFM as HOFM
from zoo.models.lorentz_fm import LorentzFM as LorentzFM
from zoo.models.lr import LR as LR
from zoo.models.mlr import MLR as MLR
from zoo.models.onn import ONN as ONN
from zoo.models.pin import PIN as PIN
from zoo.models.wide_deep import WideDeep as WideDeep
from zoo.registry import NETWORKS

MODELS = NETWORKS
