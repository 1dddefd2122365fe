"""The light block written from its formulas, slowly and in other words.

Recipes 1.5 and 1.6: full sort, gather, restore by index, one sample and one
token at a time.
"""

import torch

TRADE_OFF = 0.5


def block(module, x, cls_token, scores):
    """Map, class token and scores after a block; see ``LightBlock``."""
    x = x + module.pos_embed(x)
    outs = [
        _sample(
            module,
            x[i].flatten(1).T,
            cls_token[i],
            None if scores is None else scores[i],
        )
        for i in range(len(x))
    ]
    tokens, cls_token, scores = (torch.stack(o) for o in zip(*outs))
    return tokens.transpose(1, 2).reshape(x.shape), cls_token, scores


def _sample(module, x, cls_token, scores):
    count = len(x)
    ratio = 1 if scores is None else module.keep_ratio
    kept = int(count * ratio)
    order = list(range(count))
    tokens = [cls_token, x]
    if ratio != 1:
        order.sort(key=lambda i: -scores[i].item())
        scores = torch.stack([scores[i] for i in order])
        x = torch.stack([x[i] for i in order])
        representative = torch.zeros_like(x[0])
        for j in range(kept, count):
            share = scores[j] / scores[kept:].sum()
            representative = representative + share * x[j]
        tokens = [cls_token, x[:kept], representative[None]]
    tokens = torch.cat(tokens)
    branch_1, looks = _attention(module.attn, module.norm1(tokens))
    if module.gamma_1 is not None:
        branch_1 = module.gamma_1 * branch_1
    tokens = tokens + module.drop_path(branch_1[None])[0]
    branch_2 = module.mlp.fc2(module.mlp.hidden(module.norm2(tokens)))
    if module.gamma_2 is not None:
        branch_2 = module.gamma_2 * branch_2
    tokens = tokens + module.drop_path(branch_2[None])[0]
    if scores is None:
        scores = looks
    elif len(scores) == len(tokens) - 1:
        scores = (1 - TRADE_OFF) * scores + TRADE_OFF * looks
    else:
        new = (1 - TRADE_OFF) * scores[:kept] + TRADE_OFF * looks[:kept]
        scores = torch.cat([new, scores[kept:]])
    rest = x[kept:] + branch_1[-1] + branch_2[-1]
    x = torch.cat([tokens[1 : kept + 1], rest])
    back = [order.index(i) for i in range(count)]
    return x[back], tokens[:1], scores[back]


def _attention(attn, x):
    """Output (N, C) and how much token 0 looks at the others (N - 1,)."""
    dim = x.shape[1]
    width = dim // attn.num_heads
    qkv = attn.qkv(x)
    outs, looks = [], 0
    for head in range(attn.num_heads):
        query, key, value = (
            qkv[:, part * dim + head * width :][:, :width] for part in range(3)
        )
        weights = (query @ key.T * width**-0.5).softmax(1)
        outs.append(weights @ value)
        looks = looks + weights[0, 1:] / attn.num_heads
    return attn.proj(torch.cat(outs, 1)), looks


def pool(scores, shape):
    """Scores (B, N) of a map (B, C, *S) after the 2 x 2 pooling."""
    outs = []
    *frames, height, width = shape[2:]
    for sample in scores:
        maps = sample.reshape(*(frames or [1]), height, width)
        cells = [
            frame[2 * i : 2 * i + 2, 2 * j : 2 * j + 2].mean()
            for frame in maps
            for i in range(height // 2)
            for j in range(width // 2)
        ]
        pooled = torch.stack(cells)
        outs.append(pooled * sample.sum() / pooled.sum())
    return torch.stack(outs)
