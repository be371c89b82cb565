"""CowClip for Keras 3: train click-through-rate models with very large batches.

Replace `keras.layers.Embedding` by `CowClipEmbedding`, compile with `CowClip`,
multiply the batch and pass the result of `scale_hyperparameters`:

```python
ids = keras.Input((26,), dtype="int32")
embeddings = keras_cowclip.CowClipEmbedding(100_000, 10)(ids)
flat = keras.layers.Flatten()(embeddings)
model = keras.Model(ids, keras.layers.Dense(1, "sigmoid")(flat))
optimizer = keras_cowclip.CowClip(
    **keras_cowclip.scale_hyperparameters(batch_size=65_536)
)
model.compile(optimizer=optimizer, loss="binary_crossentropy")
```
"""

from keras_cowclip.callback import ClippedShare as ClippedShare
from keras_cowclip.clipping import (
    clip_by_adaptive_column_norm as clip_by_adaptive_column_norm,
)
from keras_cowclip.clipping import clip_by_column_norm as clip_by_column_norm
from keras_cowclip.clipping import clip_by_field_norm as clip_by_field_norm
from keras_cowclip.clipping import clip_by_global_norm as clip_by_global_norm
from keras_cowclip.embedding import CowClipEmbedding as CowClipEmbedding
from keras_cowclip.frequency import frequency_factor as frequency_factor
from keras_cowclip.optimizer import CowClip as CowClip
from keras_cowclip.scaling import scale_hyperparameters as scale_hyperparameters
from keras_cowclip.weights import get_weights as get_weights
from keras_cowclip.weights import set_weights as set_weights

__version__ = "0.1.0"
