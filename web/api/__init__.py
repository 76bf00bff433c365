"""What is answered over HTTP, by Flask.

`route` says how a route is described and served, `rest` has those that read and `admin` those that change; `schema` and `openapi` make the
OpenAPI document of them, `page_types` the page's types. `page` serves the built page, with the first rows of its table (`first_rows`).
"""
