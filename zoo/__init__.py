"""Trains click-through-rate models, from a raw log to a trained network.

```python
log = zoo.datasets.synthetic.make_log(rows=10_000)
report = zoo.train(log, "runs/first", model="deepfm", batch_size=1024, epochs=1)
```
"""

from zoo.runtime.command_line import is_command_line

# Commands import only what they need, so that help is quick. All others get
# every name, and every class that Keras needs to load a file.
if not is_command_line():
    from zoo.runtime.backend_check import check_backend

    # Before Keras is imported.
    check_backend()

    from keras_cowclip import __version__ as __version__
    from zoo.data.click_batches import ClickBatches as ClickBatches
    from zoo.data.description import describe as describe
    from zoo.data.encoded_log import EncodedLog as EncodedLog
    from zoo.data.split import Split as Split
    from zoo.datasets import load_avazu as load_avazu
    from zoo.datasets import load_clicks as load_clicks
    from zoo.datasets import load_criteo as load_criteo
    from zoo.devices import start_devices as start_devices
    from zoo.encoding import ClickEncoder as ClickEncoder
    from zoo.encoding import LogFormat as LogFormat
    from zoo.encoding import prepare as prepare
    from zoo.evaluation.evaluation import evaluate as evaluate
    from zoo.evaluation.explanation import explain as explain
    from zoo.feature_schema import FeatureSchema as FeatureSchema
    from zoo.interop import import_checkpoint as import_checkpoint
    from zoo.models import AFM as AFM
    from zoo.models import AFN as AFN
    from zoo.models import AITM as AITM
    from zoo.models import APG as APG
    from zoo.models import BST as BST
    from zoo.models import CCPM as CCPM
    from zoo.models import DAGFM as DAGFM
    from zoo.models import DBMTL as DBMTL
    from zoo.models import DCN as DCN
    from zoo.models import DESTINE as DESTINE
    from zoo.models import DIEN as DIEN
    from zoo.models import DIFM as DIFM
    from zoo.models import DIN as DIN
    from zoo.models import DLRM as DLRM
    from zoo.models import DMIN as DMIN
    from zoo.models import DMR as DMR
    from zoo.models import DNN as DNN
    from zoo.models import DSIN as DSIN
    from zoo.models import DSSM as DSSM
    from zoo.models import EDCN as EDCN
    from zoo.models import ESMM as ESMM
    from zoo.models import ETA as ETA
    from zoo.models import FCN as FCN
    from zoo.models import FFM as FFM
    from zoo.models import FGCNN as FGCNN
    from zoo.models import FINT as FINT
    from zoo.models import FLEN as FLEN
    from zoo.models import FM as FM
    from zoo.models import GDCN as GDCN
    from zoo.models import HFM as HFM
    from zoo.models import HOFM as HOFM
    from zoo.models import IFM as IFM
    from zoo.models import LR as LR
    from zoo.models import MIRRN as MIRRN
    from zoo.models import MLR as MLR
    from zoo.models import NFM as NFM
    from zoo.models import ONN as ONN
    from zoo.models import PIN as PIN
    from zoo.models import PLE as PLE
    from zoo.models import PNN as PNN
    from zoo.models import POSO as POSO
    from zoo.models import QNN as QNN
    from zoo.models import SAM as SAM
    from zoo.models import SDIM as SDIM
    from zoo.models import SIM as SIM
    from zoo.models import STAR as STAR
    from zoo.models import STEM as STEM
    from zoo.models import TIN as TIN
    from zoo.models import TWIN as TWIN
    from zoo.models import AOANet as AOANet
    from zoo.models import AutoInt as AutoInt
    from zoo.models import DCNv2 as DCNv2
    from zoo.models import DeepCrossing as DeepCrossing
    from zoo.models import DeepFEFM as DeepFEFM
    from zoo.models import DeepFM as DeepFM
    from zoo.models import DeepIM as DeepIM
    from zoo.models import DeepLight as DeepLight
    from zoo.models import EulerNet as EulerNet
    from zoo.models import FATDeepFFM as FATDeepFFM
    from zoo.models import FiBiNET as FiBiNET
    from zoo.models import FiBiNETPlus as FiBiNETPlus
    from zoo.models import FiGNN as FiGNN
    from zoo.models import FinalMLP as FinalMLP
    from zoo.models import FinalNet as FinalNet
    from zoo.models import FmFM as FmFM
    from zoo.models import FRNet as FRNet
    from zoo.models import FwFM as FwFM
    from zoo.models import InterHAt as InterHAt
    from zoo.models import LorentzFM as LorentzFM
    from zoo.models import MaskNet as MaskNet
    from zoo.models import MMoE as MMoE
    from zoo.models import PEPNet as PEPNet
    from zoo.models import PPNet as PPNet
    from zoo.models import SARNet as SARNet
    from zoo.models import SharedBottom as SharedBottom
    from zoo.models import TransAct as TransAct
    from zoo.models import WideDeep as WideDeep
    from zoo.models import WuKong as WuKong
    from zoo.models import XDeepFM as XDeepFM
    from zoo.models import XDeepInt as XDeepInt
    from zoo.models import grow as grow
    from zoo.models.ctr_model import CTRModel as CTRModel
    from zoo.models.history_model import HistoryModel as HistoryModel
    from zoo.presets.card import model_card as model_card
    from zoo.presets.hub_upload import upload_preset as upload_preset
    from zoo.presets.save_and_load import from_preset as from_preset
    from zoo.presets.save_and_load import save_to_preset as save_to_preset
    from zoo.presets.source import built_in_presets as built_in_presets
    from zoo.raw.list_column import ListColumn as ListColumn
    from zoo.registry import create_model as create_model
    from zoo.registry import list_models as list_models
    from zoo.registry import register_network as register_network
    from zoo.runtime.memory import keep_freed_memory as keep_freed_memory
    from zoo.scaling import scaling_study as scaling_study
    from zoo.sequence import Sequence as Sequence
    from zoo.serving.exporting import export as export
    from zoo.serving.predictor import CTRPredictor as CTRPredictor
    from zoo.training.clip_variant import ClipVariant  # noqa: F401 - Keras
    from zoo.training.recipe import Recipe as Recipe
    from zoo.training.recipe_file import RecipeFile as RecipeFile
    from zoo.training.recipe_file import built_in_recipes as built_in_recipes
    from zoo.training.tensorboard_events import (
        TensorBoardEvents as TensorBoardEvents,
    )
    from zoo.training.training import train as train
    from zoo.tuning import TuningResult as TuningResult
    from zoo.tuning import tune as tune
