"""draft"""
def names():
    return ["random", "tpe", "qmc"]
def get(name):
    from cluster.samplers.random import Random
    return Random
