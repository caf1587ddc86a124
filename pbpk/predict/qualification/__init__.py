"""Whether this installation, and a run of it, do what they say: checks that are computed anew each time.

`checks` one check and a table of them; `installed` the package on this machine; `invariants` what must hold of any
animal and model; `courses` what is followed; `tolerance` the solver against others and against closed forms; `oracles`
published answers; `known_light` light with a known amplitude; `run_checks` one run; `qualify` all of them; `storing`
the file.
"""
