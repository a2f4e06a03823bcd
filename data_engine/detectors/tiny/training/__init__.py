"""How the tiny detector's weights are made: from rendered faces alone, by one command, from a seed.

    python -m data_engine.detectors.tiny.training --out weights.safetensors --seed 0

`drawing` renders the faces, `camera` photographs them badly in every way, `views` crops them as the detector will,
`torch_nets` are the nets, and `finder`, `points` and `actions` each teach one of them. Needs torch.
"""
