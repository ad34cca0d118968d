"""Golden plans: a dict answers the planner; no server, no fake of one."""
