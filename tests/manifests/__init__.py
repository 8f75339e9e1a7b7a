"""What `make check` holds of the files in `cluster/` and `configs/serve/`: each against its schema, typos refused.

Serve's configurations, compose.yaml and ray-up.yaml are held against the programs' own schemas: Ray's, and that of the
package `compose-spec`. `kubernetes` is a strict model of the fields that we use, as KubeRay's CRD comes in no package:
its names were read in the CRD of KubeRay 1.7, and what it does not list is taken for a typo.
"""
