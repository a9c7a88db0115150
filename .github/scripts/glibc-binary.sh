#!/bin/sh
# The prebuilt binaries of Linux with glibc, in a container of node:22-bookworm: what release.yml runs. TINTYPE_CUDA=ON
# installs nvcc, of the version that the kernels are tested with, and compiles the CUDA backend too.
set -eu
apt-get update -qq
apt-get install -y -qq --no-install-recommends cmake ninja-build wget ca-certificates
if [ "${TINTYPE_CUDA:-OFF}" = ON ]; then
  wget -q https://developer.download.nvidia.com/compute/cuda/repos/debian12/x86_64/cuda-keyring_1.1-1_all.deb
  dpkg -i cuda-keyring_1.1-1_all.deb
  rm cuda-keyring_1.1-1_all.deb
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends cuda-nvcc-13-0 cuda-cudart-dev-13-0
  export PATH="/usr/local/cuda-13.0/bin:$PATH"
fi
npm install --no-audit --no-fund
npm run build:prebuilt
