import numpy as np

from zoo.interop.sources import fuxictr
from zoo.models import LorentzFM


@fuxictr("LorentzFM")
def from_fuxictr(original):
    original.embeddings()
    # It has no bias.
    original.put("click/bias", np.zeros(1))
    return LorentzFM
