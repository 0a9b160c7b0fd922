"""HTTP and push: requests into commands, notices into bytes.

- ``app``: the ASGI application: routes, OpenAPI document, errors as problems; ``edge`` is around it, for every request.
- ``desk_api``: one desktop's REST; ``desk_messages``: the JSON both ways; ``ops_api``: probes, status, metrics;
  ``cluster_api``: all instances, for operators, and ``cluster_ports``: who carries that out.
- ``pages``: the desktop's built files.
- ``auth``: tokens, origins, operators, how often an address may log in; ``failures``: ids, statuses, problem details.
- ``http_listener``: uvicorn in our loop; ``forwarded``: whose request a balancer passes on; ``websocket_protocol``:
  WebSocket without ASGI; ``text_connection``: what it and every other carrier offer.
- ``push_transports``: what is said over a desktop's connection, and what carries it besides the WebSocket.
- ``push_api``: event stream and long poll as requests.
- ``jsonp_api``: scripts for pages; ``jsonp_guard``: which requests get one; ``jsonp_tokens``: tokens for URLs, nonces.
- ``ports``: what the server asks of the instance as a whole.
"""
