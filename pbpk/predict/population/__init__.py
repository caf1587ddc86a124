"""Virtual populations: many animals or patients, each with a body, a draw and deviates of its own.

`people` who they are, `tally` sums that any number of workers make alike, `blocks` some subjects from draw to sums,
`gather` all of them here or on a cluster, `asking` the answer as tables, `storing` what is kept of each subject.
"""
