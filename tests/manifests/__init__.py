"""What `make check` holds of the files in `cluster/` and `configs/serve/`: each against its schema, typos refused, and
against what it needs of others.

Serve's configurations, compose.yaml and ray-up.yaml are held against the programs' own schemas: Ray's, and that of the
package `compose-spec`. `kubernetes` is a strict model of the fields that we use, as KubeRay's CRD comes in no package:
its names were read in the CRD of KubeRay 1.7, and what it does not list is taken for a typo. Commands are read by the
programs themselves (`programs`). What holds of every cluster is in `nodes`; `image` knows what the Dockerfile makes.
"""
