"""A model for the command line: ``tests.maintenance.models:Part``, on the server that ``UOWREDIS_TEST_URL`` names."""

import os

from tests.maintenance.stock import stock
from uowredis import RedisDatabase

STOCK = stock(RedisDatabase.from_url(os.environ["UOWREDIS_TEST_URL"]))
Shelf, Part, Bill = STOCK.models
