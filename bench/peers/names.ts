// What tintype is measured against.

export const peerNames = [
  'diffusers',
  'torch-compile',
  'onnxruntime',
  'openvino',
  'stable-diffusion.cpp',
] as const
export type PeerName = (typeof peerNames)[number]

/** Everyone in a comparison. */
export type Contender = 'tintype' | PeerName
