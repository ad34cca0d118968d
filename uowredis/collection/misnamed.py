"""What other mappers call otherwise on a query, and what it is called here (pure)."""

_SLICE = "a slice: collection[10:20]"
_ONE = "Model.get(field=value)"

#: Of a collection.
OF_A_COLLECTION = {
    "last": "sort()[-1]",
    "all": "the collection itself: list(collection)",
    "fetchall": "the collection itself: list(collection)",
    "get": _ONE,
    "one": _ONE,
    "one_or_none": _ONE,
    "where": "filter(field=value)",
    "filter_by": "filter(field=value)",
    "order_by": "sort(by=...)",
    "sort_by": "sort(by=...)",
    "limit": _SLICE,
    "offset": _SLICE,
    "page": _SLICE,
    "only": "values(...)",
    "scalars": "values_list(field, flat=True)",
}
