"""The planners: what each command does to the snapshot. No input or output happens here.

One small module per family of documents; `planner.plan_command` chooses. A planner changes
balances through a `Mover`, leaves a `Draft` in the snapshot, and raises `Refused` when the state
of the shop does not allow it; the snapshot then puts everything back.
"""
