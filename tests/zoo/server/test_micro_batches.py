import asyncio
import threading

import numpy as np
import pytest

from zoo.server.micro_batches import MicroBatches


class Network:
    """Doubles ids; waits within a call while it is told to."""

    def __init__(self):
        self.lengths = []
        self.free = threading.Event()
        self.free.set()

    def predict(self, inputs):
        self.free.wait(10)
        ids = inputs["ids"]
        self.lengths.append(len(ids))
        if (ids < 0).any():
            raise ValueError("negative")
        return ids[:, 0] * 2


def inputs(*ids):
    return {"ids": np.array(ids)[:, None]}


def run(network, max_rows, requests):
    """Sends requests while the network is busy with a first one, of 1 row."""

    async def send():
        batches = MicroBatches(network.predict, max_rows)
        network.free.clear()
        first = asyncio.create_task(batches.predict(inputs(1)))
        await asyncio.sleep(0.01)
        others = [
            asyncio.create_task(batches.predict(inputs(*ids)))
            for ids in requests
        ]
        await asyncio.sleep(0.01)
        network.free.set()
        _, *answers = await asyncio.gather(
            first, *others, return_exceptions=True
        )
        # An idle one does not wait for others, whatever came before.
        assert (await batches.predict(inputs(5))).tolist() == [10]
        return answers

    return asyncio.run(send())


def test_requests_that_wait_are_predicted_together():
    network = Network()
    answers = run(network, 100, [(1, 2), (3,), (4, 5, 6)])
    assert [a.tolist() for a in answers] == [[2, 4], [6], [8, 10, 12]]
    assert network.lengths == [1, 6, 1]


def test_a_batch_has_no_more_rows_than_allowed():
    network = Network()
    requests = [(1, 2), (3,), (4, 5, 6, 7), (8,)]
    answers = run(network, 3, requests)
    assert [a.tolist() for a in answers] == [
        [2 * i for i in ids] for ids in requests
    ]
    assert network.lengths == [1, 3, 4, 1, 1]


def test_a_failure_reaches_its_batch_alone():
    network = Network()
    answers = run(network, 2, [(1, -2), (3, 4)])
    assert isinstance(answers[0], ValueError)
    assert answers[1].tolist() == [6, 8]


def test_several_labels_are_split_alike():
    def predict(inputs):
        ids = inputs["ids"][:, 0]
        return {"click": ids, "buy": ids + 100}

    async def send():
        batches = MicroBatches(predict, 100)
        requests = [inputs(*range(i, 2 * i)) for i in range(1, 20)]
        return await asyncio.gather(*map(batches.predict, requests))

    for i, answer in enumerate(asyncio.run(send()), start=1):
        assert [*answer] == ["click", "buy"]
        assert answer["click"].tolist() == [*range(i, 2 * i)]
        assert answer["buy"].tolist() == [*range(i + 100, 2 * i + 100)]


@pytest.mark.parametrize("max_rows", [1, 5, 1000])
def test_every_request_gets_its_own_rows(max_rows):
    random = np.random.default_rng(0)
    requests = [
        tuple(random.integers(0, 1000, random.integers(1, 9)).tolist())
        for _ in range(300)
    ]
    answers = run(Network(), max_rows, requests)
    assert [a.tolist() for a in answers] == [
        [2 * i for i in ids] for ids in requests
    ]


def test_a_request_that_is_given_up_leaves_the_others():
    async def send():
        network = Network()
        batches = MicroBatches(network.predict, 100)
        network.free.clear()
        first, second, third = (
            asyncio.create_task(batches.predict(inputs(i))) for i in range(3)
        )
        await asyncio.sleep(0.01)
        first.cancel()
        second.cancel()
        await asyncio.sleep(0.01)
        network.free.set()
        return (await third).tolist()

    assert asyncio.run(send()) == [4]
