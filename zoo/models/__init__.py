"""The networks, one a file."""

from zoo.models.afm import AFM as AFM
from zoo.models.apg import APG as APG
from zoo.models.ccpm import CCPM as CCPM
from zoo.models.dagfm import DAGFM as DAGFM
from zoo.models.dcn import DCN as DCN
from zoo.models.dcn_v2 import DCNv2 as DCNv2
from zoo.models.deep_crossing import DeepCrossing as DeepCrossing
from zoo.models.deep_im import DeepIM as DeepIM
from zoo.models.deepfm import DeepFM as DeepFM
from zoo.models.dlrm import DLRM as DLRM
from zoo.models.dnn import DNN as DNN
from zoo.models.dssm import DSSM as DSSM
from zoo.models.fgcnn import FGCNN as FGCNN
from zoo.models.flen import FLEN as FLEN
from zoo.models.fm import FM as FM
from zoo.models.growth import grow as grow
from zoo.models.lr import LR as LR
from zoo.models.nfm import NFM as NFM
from zoo.models.pnn import PNN as PNN
from zoo.models.ppnet import PPNet as PPNet
from zoo.models.wide_deep import WideDeep as WideDeep
from zoo.registry import NETWORKS

MODELS = NETWORKS
