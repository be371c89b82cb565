from zoo.datasets import AVAZU
from zoo.datasets import RAW_LOGS

HEADER = (
    "id,click,hour,C1,banner_pos,site_id,site_domain,site_category,app_id,"
    "app_domain,app_category,device_id,device_ip,device_model,device_type,"
    "device_conn_type,C14,C15,C16,C17,C18,C19,C20,C21"
)


def test_columns():
    assert RAW_LOGS["avazu"] is AVAZU
    assert ",".join(AVAZU.columns) == HEADER
    assert AVAZU.label == "click"
    assert AVAZU.dense == ()
    # The raw hour is a field, the id of the row is not.
    assert AVAZU.categorical == AVAZU.columns[2:]


def test_layout():
    assert (AVAZU.delimiter, AVAZU.header, AVAZU.first_line) == (",", True, 2)
    assert (AVAZU.test_fraction, AVAZU.validation_fraction) == (0.2, 0.1)
