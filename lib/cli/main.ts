#!/usr/bin/env node
// The command line: options, exit codes, Ctrl-C. What the commands do is in a file for each.

import { readFileSync } from 'node:fs'
import { Command, CommanderError, Option } from 'commander'
import { TintypeError } from '../errors.ts'
import {
  parseDevice,
  parseInterval,
  parseNumber,
  parseSeed,
  parseSize,
  parseSwitch,
  parseThreshold,
} from './arguments.ts'
import { buildCommand } from './build.ts'
import { type DoctorFlags, doctorCommand } from './doctor.ts'
import { type GenerateFlags, generateCommand } from './generate.ts'
import { type InfoFlags, infoCommand } from './info.ts'
import { refuseMistakenCommand } from './mistaken-command.ts'
import { type SelftestFlags, selftestCommand } from './selftest.ts'

/** As shells know them: 2 is a mistake on the command line, 130 is Ctrl-C. */
const exit = { failure: 1, usage: 2, interrupted: 130 } as const
const usageCodes: readonly string[] = ['INVALID_ARGUMENT', 'UNKNOWN_OPTION']

const examples = `
Examples:
  $ tintype "red apple" -o apple.png
  $ tintype "a lighthouse at dusk" --model ./stable-diffusion-v1-5 --size 512x512 --steps 25 --seed 42
  $ tintype "a watercolour" --model ./stable-diffusion-v1-5 --init photo.jpg --strength 0.6
  $ echo "a fox" | tintype - --count 4 --json

Prompts that are named as a command come after --: tintype -- doctor
Paths of the pictures go to stdout, progress to stderr. Several pictures are numbered: apple-1.png, apple-2.png.
Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted. TINTYPE_DEBUG=1 shows stacks.`

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string
}

function buildProgram(signal: AbortSignal): Command {
  const program = new Command('tintype')
  program
    .description('Paint pictures with Stable Diffusion.')
    .usage('[options] <prompts...>')
    .version(version)
    .exitOverride()
    .configureOutput({ outputError: (message, write) => write(message.replace(/^error: /, 'tintype: ')) })
    .showHelpAfterError('tintype --help lists commands and options, with examples.')
    .enablePositionalOptions()
    .argument('<prompts...>', 'what to paint; - reads it from stdin')
    .option('-o, --output <file>', 'where to write: .png, .jpg or .webp (default: made of prompt and seed)')
    .option('-m, --model <folder>', "a model in diffusers' layout (default: the embedded one)")
    .option('-n, --negative <text>', 'what to avoid')
    .option('--size <WxH>', "pixels (default: the model's, or those of --init)", parseSize)
    .option('-s, --steps <n>', "denoising steps (default: the model's, or 20)", parseNumber)
    .option(
      '-g, --guidance <x>',
      "how closely to follow the prompt, 1 for off (default: the model's, or 7.5)",
      parseNumber,
    )
    .option(
      '--guidance-interval <from,to>',
      'guide only in this part of the run (default: 0,1)',
      parseInterval,
    )
    .option('--sequential-guidance', 'predict without and with the prompt in turns: less memory, more time')
    .option('--cache-interval <n>', 'compute the whole UNet in one step of n (default: 1)', parseNumber)
    .option(
      '--token-merging <x>',
      'merge this share of the tokens of the largest maps, up to 0.75 (default: 0)',
      parseNumber,
    )
    .option('--seed <n>', 'where the noise starts (default: random; PNG files and --json tell it)', parseSeed)
    .addOption(
      new Option(
        '--rng <name>',
        "whose noise a seed gives: PyTorch's on a CPU or on CUDA (default: torch-cpu)",
      ).choices(['torch-cpu', 'torch-cuda']),
    )
    .option('--scheduler <name>', "ddim, euler, euler-ancestral or dpmpp-2m (default: the model's)")
    .option('--karras', "Karras et al.'s noise levels (default: the model's)")
    .option('-c, --count <n>', 'pictures per prompt (default: 1)', parseNumber)
    .option('--init <file>', 'a picture to start from, painted in its own size')
    .option('--strength <x>', 'how far to go from it, above 0 to 1 (default: 0.8)', parseNumber)
    .option('--temperature <x>', 'scales the noise of stochastic samplers (default: 1)', parseNumber)
    .option('--eta <x>', "DDIM's eta, 0 to 1 (default: 0)", parseNumber)
    .option(
      '--threshold <p[,max]>',
      'dynamic thresholding, a percentile such as 0.995 (for models that paint pixels)',
      parseThreshold,
    )
    .option(
      '--device <name>',
      'auto, cpu, cuda, cuda:1, or several as cuda:0,cuda:1 (default: cpu)',
      parseDevice,
    )
    .addOption(
      new Option(
        '--precision <type>',
        'what a GPU computes in (default: f16); on the CPU int8 for smaller weights, bf16 for speed if it has AVX512-BF16',
      ).choices(['f16', 'bf16', 'fast', 'int8']),
    )
    .option(
      '--threads <n>',
      'threads to compute with (default: TINTYPE_THREADS, or one for each core)',
      parseNumber,
    )
    .option(
      '--vae-tiling <when>',
      'encode and decode in strips, in less memory: auto, on or off (default: auto)',
      parseSwitch,
    )
    .option('--json', 'print the result as JSON')
    .option('-q, --quiet', 'no progress')
    .addHelpText('after', examples)
    .action((prompts: string[], flags: GenerateFlags) => {
      refuseMistakenCommand(
        prompts,
        program.commands.map((command) => command.name()),
      )
      return generateCommand(prompts, flags, signal)
    })
  // What follows -- are prompts, and no command takes any.
  if (!process.argv.includes('--')) addCommands(program)
  return program
}

function addCommands(program: Command): void {
  program.helpCommand('help [command]', 'show help, of a command too')
  program
    .command('info')
    .description('show the machine and the model')
    .option('-m, --model <folder>', "a model in diffusers' layout (default: the embedded one)")
    .option('--json', 'print it as JSON')
    .action((flags: InfoFlags) => infoCommand(flags))
  program
    .command('doctor')
    .description('tell which native addon is used, what was refused and why, and what to do')
    .option('--json', 'print it as JSON')
    .action((flags: DoctorFlags) => doctorCommand(flags))
  program
    .command('selftest')
    .description("run the kernels' tests on a GPU, as a report to paste into an issue")
    .option('--device <name>', 'cuda or cuda:1 (default: cuda)')
    .addOption(
      new Option('--precision <type>', 'what to test (default: all)').choices(['f16', 'bf16', 'fast', 'all']),
    )
    .option('--only <text>', 'cases whose title contains it, such as attention')
    .option('--json', 'print it as JSON')
    .action((flags: SelftestFlags) => selftestCommand(flags, version))
  program
    .command('build')
    .description('compile the native addon, where no prebuilt one fits (takes CMake and a C++20 compiler)')
    .action(() => buildCommand())
}

/** One line for people; for programs that asked for JSON, JSON as well. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : exit.usage
  const code = error instanceof TintypeError ? error.code : 'INTERNAL'
  const message = error instanceof Error ? error.message : String(error)
  if (process.argv.includes('--json')) console.log(JSON.stringify({ error: { code, message } }))
  console.error(`tintype: ${message}`)
  if (process.env.TINTYPE_DEBUG && error instanceof Error) console.error(error.stack)
  if (code === 'ABORTED') return exit.interrupted
  return usageCodes.includes(code) ? exit.usage : exit.failure
}

async function main(): Promise<void> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // `tintype ... | head` closes the pipe: nobody is left to tell.
    if (error.code === 'EPIPE') process.exit(0)
    console.error(`tintype: nothing can be written to stdout (${error.code}).`)
    process.exit(exit.failure)
  })
  // Whoever reads no progress still wants the picture.
  process.stderr.on('error', () => undefined)
  const interrupt = new AbortController()
  process.on('SIGINT', () => {
    // The second time somebody means it.
    if (interrupt.signal.aborted) process.exit(exit.interrupted)
    interrupt.abort()
  })
  try {
    await buildProgram(interrupt.signal).parseAsync()
  } catch (error) {
    process.exitCode = report(error)
  }
}

await main()
