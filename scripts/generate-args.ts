// Writes what C++ must know of the op table: argument structs, plan decoding and the kernel table.
// usage: tsx scripts/generate-args.ts [--check]   (--check only compares, and fails when a file is stale)

import { readFileSync, writeFileSync } from 'node:fs'
import { stepCoefficients } from '../lib/graph/ops/scheduler-step.ts'
import { opNames, opOf } from '../lib/graph/ops.ts'
import { bytesPerElement, isVector, type Op, type OperandSpec, type ParamSpec } from '../lib/graph/spec.ts'

const header = '// Generated from lib/graph/ops by scripts/generate-args.ts. Do not edit.\n'
const snake = (name: string) => name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)
const pascal = (name: string) => name[0]!.toUpperCase() + name.slice(1)
const all: readonly Op[] = opNames.map(opOf)

const cType = (spec: OperandSpec) => {
  if (spec.role === 'weight') return isVector(spec.packing) ? 'const float*' : 'Weight'
  const element = { f32: 'float', i32: 'int32_t', u8: 'uint8_t', f16: 'uint16_t', bf16: 'uint16_t' }[
    spec.dtype
  ]
  return spec.role === 'output' ? `${element}*` : `const ${element}*`
}
const paramType = (spec: ParamSpec) =>
  spec.type === 'enum' ? spec.enumName! : { int: 'int32_t', float: 'float' }[spec.type]

/** Breaks a sentence into comment lines. */
function comment(text: string): string {
  const lines = ['//']
  for (const word of text.split(' ')) {
    if (`${lines.at(-1)} ${word}`.length > 110) lines.push('//  ')
    lines[lines.length - 1] += ` ${word}`
  }
  return lines.join('\n')
}

function argsHeader(): string {
  const enums = new Map(
    all.flatMap((op) => Object.values(op.params)).flatMap((p) => (p.values ? [[p.enumName!, p.values]] : [])),
  )
  const structs = all.map((op) => {
    const dims = `  int64_t ${op.dims.map(snake).join(', ')};`
    const operands = Object.entries(op.operands).map(([name, spec]) => {
      const notes = [`(${spec.dims.map(snake).join(', ')})`]
      if (spec.optional) notes.push('or null')
      if (spec.inPlaceOf.length > 0) notes.push(`may be ${spec.inPlaceOf.map(snake).join(' or ')}`)
      return `  ${cType(spec)} ${snake(name)};  // ${notes.join(', ')}`
    })
    const params = Object.entries(op.params).map(([name, spec]) => `  ${paramType(spec)} ${snake(name)};`)
    return [comment(op.formula), `struct ${pascal(op.name)}Args {`, dims, ...operands, ...params, '};'].join(
      '\n',
    )
  })
  return `${header}
#pragma once
#include <cstddef>
#include <cstdint>

namespace tintype {

// i8 and bf16_pairs are for matrices alone, which are rounded to them when they are loaded: no value of a plan has them.
enum class DType : uint32_t { ${[...Object.keys(bytesPerElement), 'i8', 'bf16_pairs'].join(', ')} };
enum class Packing : uint32_t { raw, vector, matrix, gated, quartered, folded };

// A weight in its stored type: as in the file (raw), or packed (matrix, gated, quartered); a packed one may be in int8 or in pairs of bf16.
struct Weight {
  const void* data;
  DType dtype;
};

${[...enums].map(([name, values]) => `enum class ${name} : uint32_t { ${(values as string[]).join(', ')} };`).join('\n')}

// What a row of coefficients begins with; the coefficients of the history follow.
struct StepCoefficients {
  float ${stepCoefficients.map(snake).join(', ')};
};
inline constexpr int64_t step_coefficients = ${stepCoefficients.length};

enum class Opcode : uint32_t { ${all.map((op) => snake(op.name)).join(', ')} };

${structs.join('\n\n')}

}  // namespace tintype
`
}

function decodeHeader(): string {
  const infos = all.map((op) => {
    const operands = Object.entries(op.operands).map(([name, spec]) => {
      const places = spec.dims.map((dim) => op.dims.indexOf(dim))
      const role = `Role::${spec.role}`
      return `{"${name}", ${role}, DType::${spec.dtype}, Packing::${spec.packing}, ${spec.optional}, ${spec.keepsFloat}, ${places.length}, {${places.join(', ')}}}`
    })
    const params = Object.entries(op.params).map(([name, spec]) => {
      const limit = spec.values ? spec.values.length - 1 : 0x7fffffff
      return `{"${name}", ParamType::${spec.type === 'enum' ? 'int_' : `${spec.type}_`}, ${spec.min}, ${limit}}`
    })
    return `    {"${op.name}", ${op.dims.length}, {${operands.join(',\n      ')}}, ${operands.length}, {${params.join(', ')}}, ${params.length}},`
  })
  const cases = all.map((op, i) => {
    let word = 0
    const lines = op.dims.map((dim) => `      a.${snake(dim)} = w[${word++}];`)
    for (const [name, spec] of Object.entries(op.operands)) {
      const kind = cType(spec)
      const get =
        kind === 'Weight' ? `o.weight(w[${word++}])` : `static_cast<${kind}>(o.pointer(w[${word++}]))`
      lines.push(`      a.${snake(name)} = ${get};`)
    }
    for (const [name, spec] of Object.entries(op.params)) {
      const type = paramType(spec)
      const cast =
        spec.type === 'float' ? `std::bit_cast<float>(w[${word++}])` : `static_cast<${type}>(w[${word++}])`
      lines.push(`      a.${snake(name)} = ${cast};`)
    }
    // The opcode was checked when the plan was: the last case takes the rest.
    const label = i + 1 < all.length ? `case Opcode::${snake(op.name)}` : 'default'
    return `    ${label}: {
      ${pascal(op.name)}Args a;
${lines.join('\n')}
      return f(kernels.${snake(op.name)}, a);
    }`
  })
  const maxOperands = Math.max(...all.map((op) => Object.keys(op.operands).length))
  const maxParams = Math.max(...all.map((op) => Object.keys(op.params).length))
  const maxDims = Math.max(...all.flatMap((op) => Object.values(op.operands).map((spec) => spec.dims.length)))
  return `${header}
#pragma once
#include <bit>

#include "../kernels/args.gen.h"

namespace tintype {

enum class Role : uint32_t { input, output, weight };
enum class ParamType : uint32_t { int_, float_ };

// An operand holds the product of these dimensions (positions in the op's list) of elements.
struct OperandInfo {
  const char* name;
  Role role;
  DType dtype;
  Packing packing;
  bool optional;
  bool keeps_float;  // where others are of half precision
  int rank;
  int dims[${maxDims}];
};

struct ParamInfo {
  const char* name;
  ParamType type;
  int64_t min, max;
};

// In a plan an op is its opcode, then one word for each dimension, operand and parameter, in this order.
struct OpInfo {
  const char* name;
  int dims;
  OperandInfo operands[${maxOperands}];
  int operand_count;
  ParamInfo params[${maxParams}];
  int param_count;
  constexpr int words() const { return dims + operand_count + param_count; }
};

inline constexpr OpInfo op_infos[] = {
${infos.join('\n')}
};
inline constexpr uint32_t op_count = ${all.length};

// Calls f(kernel, args) with the kernel of an op and its decoded arguments. Operands must offer
// pointer(word) -> void* and weight(word) -> Weight.
template <class Kernels, class Operands, class F>
decltype(auto) visit_op(Opcode opcode, const uint32_t* w, const Kernels& kernels, const Operands& o, F&& f) {
  switch (opcode) {
${cases.join('\n')}
  }
}

}  // namespace tintype
`
}

function tableHeader(): string {
  const fields = all.map((op) => `  Kernel<${pascal(op.name)}Args> ${snake(op.name)};`)
  return `${header}
#pragma once
#include "../args.gen.h"
#include "../exec.h"
#include "../pack.h"

namespace tintype {

template <class Args>
struct Kernel {
  void (*run)(const Args&, const Exec&);
  ScratchSize (*scratch)(const Args&);
};

// Every CPU kernel, compiled for one instruction set.
struct CpuKernels {
  const char* isa;
${fields.join('\n')}
  size_t (*packed_bytes)(const MatrixShape&, DType);
  void (*pack_matrix)(const PackMatrix&, const Exec&);
  void (*pack_pairs)(const PackMatrix&, const Exec&);
  bool (*quantize_matrix)(const QuantizeMatrix&, const Exec&);
  void (*widen_vector)(const void* src, DType, float* dst, int64_t count);
};

}  // namespace tintype
`
}

function tableSource(): string {
  const declarations = all.map(
    (op) => `void ${snake(op.name)}(const ${pascal(op.name)}Args&, const Exec&);
ScratchSize ${snake(op.name)}_scratch(const ${pascal(op.name)}Args&);`,
  )
  return `${header}
// Compiled once per instruction set, as all of kernels/cpu: TINTYPE_ISA is its name.
#include "table.gen.h"

#define TINTYPE_STRING(x) #x
#define TINTYPE_NAME(x) TINTYPE_STRING(x)

namespace tintype::TINTYPE_ISA {

${declarations.join('\n')}
size_t packed_bytes(const MatrixShape&, DType);
void pack_matrix(const PackMatrix&, const Exec&);
void pack_pairs(const PackMatrix&, const Exec&);
bool quantize_matrix(const QuantizeMatrix&, const Exec&);
void widen_vector(const void* src, DType, float* dst, int64_t count);

extern const CpuKernels kernels;
const CpuKernels kernels = {
    TINTYPE_NAME(TINTYPE_ISA),
${all.map((op) => `    {${snake(op.name)}, ${snake(op.name)}_scratch},`).join('\n')}
    packed_bytes,
    pack_matrix,
    pack_pairs,
    quantize_matrix,
    widen_vector,
};

}  // namespace tintype::TINTYPE_ISA
`
}

const files: Readonly<Record<string, string>> = {
  'kernels/args.gen.h': argsHeader(),
  'native/decode.gen.h': decodeHeader(),
  'kernels/cpu/table.gen.h': tableHeader(),
  'kernels/cpu/table.gen.cc': tableSource(),
}

for (const [path, text] of Object.entries(files)) {
  const url = new URL(`../${path}`, import.meta.url)
  if (!process.argv.includes('--check')) {
    writeFileSync(url, text)
  } else if (readFileSync(url, 'utf8') !== text) {
    console.error(`${path} is stale: run \`npm run generate\``)
    process.exitCode = 1
  }
}
