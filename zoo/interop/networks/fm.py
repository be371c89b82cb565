from zoo.interop.sources import fuxictr
from zoo.models import FM


@fuxictr("FM")
def from_fuxictr(original):
    original.embeddings()
    original.linear("fm.lr_layer")
    return FM
