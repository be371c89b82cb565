"""The networks, one a file."""

from zoo.models.afm import AFM as AFM
from zoo.models.afn import AFN as AFN
from zoo.models.aoanet import AOANet as AOANet
from zoo.models.autoint import AutoInt as AutoInt
from zoo.models.apg import APG as APG
from zoo.models.ccpm import CCPM as CCPM
from zoo.models.dagfm import DAGFM as DAGFM
from zoo.models.dcn import DCN as DCN
from zoo.models.dcn_v2 import DCNv2 as DCNv2
from zoo.models.deep_crossing import DeepCrossing as DeepCrossing
from zoo.models.deep_fefm import DeepFEFM as DeepFEFM
from zoo.models.deep_im import DeepIM as DeepIM
from zoo.models.deep_light import DeepLight as DeepLight
from zoo.models.deepfm import DeepFM as DeepFM
from zoo.models.destine import DESTINE as DESTINE
from zoo.models.difm import DIFM as DIFM
from zoo.models.dlrm import DLRM as DLRM
from zoo.models.dnn import DNN as DNN
from zoo.models.dssm import DSSM as DSSM
from zoo.models.edcn import EDCN as EDCN
from zoo.models.eulernet import EulerNet as EulerNet
from zoo.models.fat_deep_ffm import FATDeepFFM as FATDeepFFM
from zoo.models.ffm import FFM as FFM
from zoo.models.fi_gnn import FiGNN as FiGNN
from zoo.models.fibinet import FiBiNET as FiBiNET
from zoo.models.fibinet_plus import FiBiNETPlus as FiBiNETPlus
from zoo.models.finalmlp import FinalMLP as FinalMLP
from zoo.models.finalnet import FinalNet as FinalNet
from zoo.models.fgcnn import FGCNN as FGCNN
from zoo.models.flen import FLEN as FLEN
from zoo.models.fm import FM as FM
from zoo.models.fmfm import FmFM as FmFM
from zoo.models.fwfm import FwFM as FwFM
from zoo.models.gdcn import GDCN as GDCN
from zoo.models.growth import grow as grow
from zoo.models.hfm import HFM as HFM
from zoo.models.hofm import HOFM as HOFM
from zoo.models.ifm import IFM as IFM
from zoo.models.interhat import InterHAt as InterHAt
from zoo.models.lorentz_fm import LorentzFM as LorentzFM
from zoo.models.lr import LR as LR
from zoo.models.masknet import MaskNet as MaskNet
from zoo.models.mlr import MLR as MLR
from zoo.models.nfm import NFM as NFM
from zoo.models.onn import ONN as ONN
from zoo.models.pnn import PNN as PNN
from zoo.models.ppnet import PPNet as PPNet
from zoo.models.sam import SAM as SAM
from zoo.models.pin import PIN as PIN
from zoo.models.wide_deep import WideDeep as WideDeep
from zoo.models.wukong import WuKong as WuKong
from zoo.models.xdeepfm import XDeepFM as XDeepFM
from zoo.registry import NETWORKS

MODELS = NETWORKS
