// Runs one warp, its lanes together where they are at the same instruction.
#pragma once

namespace tintype::ptx {

struct Execution;
struct Warp;

// Until the warp is at a barrier, has looked at something in vain, or has ended.
void run_warp(Execution& x, Warp& w);

}  // namespace tintype::ptx
