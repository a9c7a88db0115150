// Layers that bring their weights along: what a model's paper calls Conv, Linear or Norm, by the name in the file.

import { type Conv2dOptions, conv2d, groupNorm, layerNorm, linear } from '../tensor/functional.ts'
import type { Scope } from '../tensor/scope.ts'
import type { Tensor } from '../tensor/trace.ts'

const channels = (x: Tensor) => x.shape.at(-1)!

export interface ConvOptions extends Conv2dOptions {
  readonly out: number
  readonly kernel: number
}

export function conv(
  scope: Scope,
  name: string,
  x: Tensor,
  { out, kernel, ...options }: ConvOptions,
): Tensor {
  return scope.in(name, (s) =>
    conv2d(x, s.weight('weight', out, channels(x), kernel, kernel), s.weight('bias', out), options),
  )
}

/** 3x3, same size. */
export const conv3x3 = (scope: Scope, name: string, x: Tensor, out: number): Tensor =>
  conv(scope, name, x, { out, kernel: 3, padding: 1 })

export const conv1x1 = (scope: Scope, name: string, x: Tensor, out: number): Tensor =>
  conv(scope, name, x, { out, kernel: 1 })

export function dense(scope: Scope, name: string, x: Tensor, out: number, { bias = true } = {}): Tensor {
  return scope.in(name, (s) =>
    linear(x, s.weight('weight', out, channels(x)), bias ? s.weight('bias', out) : undefined),
  )
}

const gammaBeta = (scope: Scope, c: number) => ({
  gamma: scope.weight('weight', c),
  beta: scope.weight('bias', c),
})

export interface GroupNormSettings {
  readonly groups: number
  readonly eps: number
}

export function normGroups(
  scope: Scope,
  name: string,
  x: Tensor,
  { groups, eps }: GroupNormSettings,
): Tensor {
  return scope.in(name, (s) => groupNorm(x, { ...gammaBeta(s, channels(x)), groups, eps }))
}

export function normLayer(scope: Scope, name: string, x: Tensor, eps: number): Tensor {
  return scope.in(name, (s) => layerNorm(x, { ...gammaBeta(s, channels(x)), eps }))
}
