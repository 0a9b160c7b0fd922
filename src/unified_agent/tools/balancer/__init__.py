"""``unified-agent balancer``: complete configurations of load balancers, from one description of the cluster.

- ``command``: the commands with their options.
- ``topology``: the description: instances, ports, certificates. ``live``: the same, asked of a running instance.
- ``routes``: which of our URLs a balancer must treat in their own way; pure.
- ``mod_jk``, ``proxy_ajp``, ``haproxy``, ``nginx``, ``dns``: description → files; pure. ``apache``: what both Apaches
  share. ``worker_properties``: a strict reading of mod_jk's file, which httpd itself reads only when it starts.
- ``files``: writes them, and nothing over what somebody has changed.
- ``service``: a systemd unit that runs them; pure.
- ``products``: which there are, and how each is run.
- ``check``: the product's own syntax check. ``advice``: what a person does next.
"""
