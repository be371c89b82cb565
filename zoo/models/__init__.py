"""The networks, one a file."""

from zoo.models.afm import AFM as AFM
from zoo.models.aoanet import AOANet as AOANet
from zoo.models.autoint import AutoInt as AutoInt
from zoo.models.dcn import DCN as DCN
from zoo.models.dcn_v2 import DCNv2 as DCNv2
from zoo.models.deepfm import DeepFM as DeepFM
from zoo.models.destine import DESTINE as DESTINE
from zoo.models.difm import DIFM as DIFM
from zoo.models.dnn import DNN as DNN
from zoo.models.fi_gnn import FiGNN as FiGNN
from zoo.models.fm import FM as FM
from zoo.models.frnet import FRNet as FRNet
from zoo.models.growth import grow as grow
from zoo.models.ifm import IFM as IFM
from zoo.models.interhat import InterHAt as InterHAt
from zoo.models.lr import LR as LR
from zoo.models.sam import SAM as SAM
from zoo.models.wide_deep import WideDeep as WideDeep
from zoo.registry import NETWORKS

MODELS = NETWORKS
