# A shim for tools that insist on node-gyp: no sources, one action that runs the CMake build (scripts/build.mjs) into
# build/Release. node-gyp wants Node's headers although nothing uses them; offline, give it the empty ones:
# node-gyp rebuild --nodedir=scripts/nodedir
{
  "targets": [{
    "target_name": "tintype_cmake",
    "type": "none",
    "actions": [{
      "action_name": "cmake",
      "inputs": ["CMakeLists.txt"],
      "outputs": ["<(module_root_dir)/build/Release/.cmake-always"],
      "action": ["node", "<(module_root_dir)/scripts/build.mjs"],
      "message": "building with CMake"
    }]
  }]
}
