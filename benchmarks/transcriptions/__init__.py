"""Models written down plainly, formula by formula, as a yardstick for the speed of those in ``models``.

Each has the sizes and inputs of the model of the same name, and with its weights the same outputs (tests/benchmarks). Where a
paper leaves something open they do as the authors' code does: delays of Autoformer and periods of TimesNet are those of a
batch's mean while training. None of them is tuned: attention is two products and a softmax, each kernel is a convolution of its
own.
"""
