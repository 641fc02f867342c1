"""Tuning: the settings of kernels, and schedules of functions that have no kernel, found by measuring.

`store.py` keeps what was measured; `timer.py` measures through MetaSchedule's builder and runner, in child processes
here or on other machines; `search.py` goes through the candidates of each kernel; `acceptance.py` keeps what makes
the whole network faster; `meta_schedule.py` is MetaSchedule's own search. `tune.py` puts them together.
"""
