"""Whether this installation, and a run of it, do what they say: checks that are computed anew each time.

`checks` one check and a file of them; `installed` the package on this machine; `invariants` what must hold of any
model; `tolerance` the solver against others and against closed forms; `oracles` published answers; `run_checks` one
run; `qualify` all of them.
"""
