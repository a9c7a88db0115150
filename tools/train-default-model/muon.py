"""Muon (Jordan et al., 2024) for matrices and convolutions, AdamW for the rest, as one optimizer.

Chosen for runs of a few thousand steps; it was not compared with AdamW under equal conditions. Its Newton-Schulz products
run in bf16 where that is fast.
"""
import torch

from common import BF16


def orthogonalize(g, steps=5):
    """The nearest semi-orthogonal matrix, by five quintic Newton-Schulz steps."""
    x = g.bfloat16() if BF16 else g
    tall = x.size(0) > x.size(1)
    if tall:
        x = x.T
    x = x / (x.norm() + 1e-7)
    for _ in range(steps):
        a = x @ x.T
        b = -4.7750 * a + 2.0315 * (a @ a)
        x = 3.4445 * x + b @ x
    return (x.T if tall else x).float()


class Muon:
    """`matrices` step along the orthogonalized momentum, `others` by AdamW; `scale` multiplies both rates."""

    def __init__(self, matrices, others, lr=0.02, adam_lr=2e-3, momentum=0.95, decay=0.0):
        self.matrices, self.lr, self.momentum, self.decay = list(matrices), lr, momentum, decay
        self.buffers = [torch.zeros_like(p) for p in self.matrices]
        self.adam_lr = adam_lr
        self.adam = torch.optim.AdamW(list(others), lr=adam_lr, betas=(0.9, 0.98), weight_decay=0.0)

    @torch.no_grad()
    def step(self, scale=1.0):
        for p, m in zip(self.matrices, self.buffers):
            if p.grad is None:
                continue
            m.lerp_(p.grad, 1 - self.momentum)
            update = orthogonalize(p.grad.lerp(m, self.momentum).flatten(1)).view_as(p)
            rows, columns = p.size(0), p[0].numel()
            if self.decay:
                p.mul_(1 - self.lr * scale * self.decay)
            p.add_(update, alpha=-self.lr * scale * max(1, rows / columns) ** 0.5)
        for group in self.adam.param_groups:
            group["lr"] = self.adam_lr * scale
        self.adam.step()

    def zero_grad(self):
        for p in self.matrices:
            p.grad = None
        self.adam.zero_grad(set_to_none=True)

    def state_dict(self):
        return {"buffers": self.buffers, "adam": self.adam.state_dict()}

    def load_state_dict(self, state):
        for mine, theirs in zip(self.buffers, state["buffers"]):
            mine.copy_(theirs)
        self.adam.load_state_dict(state["adam"])
