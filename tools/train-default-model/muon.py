"""Muon (Jordan et al., 2024) for matrices and convolutions, AdamW for the rest, as one optimizer.

Chosen for runs of a few thousand steps; it was not compared with AdamW under equal conditions.
"""
import torch


def orthogonalize(g, steps=5):
    """The nearest semi-orthogonal matrix, by five quintic Newton-Schulz steps. Each is x -> p(x x^T) x, so all but the last
    product can be done with square matrices: a third of the time for convolutions, whose rows are long."""
    tall = g.size(0) > g.size(1)
    x = g.T if tall else g
    x = x / (x.norm() + 1e-7)
    gram, product = x @ x.T, None
    for step in range(steps):
        p = -4.7750 * gram + 2.0315 * (gram @ gram)
        p.diagonal().add_(3.4445)
        product = p if product is None else p @ product
        if step + 1 < steps:
            gram = p @ (p @ gram)
    x = product @ x
    return x.T if tall else x


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
