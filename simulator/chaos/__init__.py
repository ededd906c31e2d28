"""Random crossings under random faults, in simulated time: the lane's own runtime, driver and store against twins of all it touches.

Everything that decides is the product's code; replaced are time (:mod:`timeloop`), the wires (:mod:`line`, :mod:`broker`), the
models' answers (:mod:`sight`), the hub beside the lane (:mod:`hub`) and the people.
"""
