// Runs the native tests on an addon that watches itself; what it finds is printed and fails the script. Not part of
// `npm test`: it compiles everything once more. Linux with GCC.
// usage: node scripts/sanitize.mjs [address,undefined | thread] [vitest filters]
import { $, fs, path } from 'zx'

const [sanitizers = 'address,undefined', ...filters] = process.argv.slice(2)
const name = sanitizers.split(',')[0]
const folder = path.resolve('build', `sanitize-${name}`)
const logs = path.join(folder, 'report')

await $({
  stdio: 'inherit',
})`node scripts/build.mjs --out ${folder} --define TINTYPE_SANITIZE=${sanitizers} --define TINTYPE_OUT=${folder}`
for (const old of await fs.readdir(folder)) {
  if (old.startsWith('report.')) await fs.remove(path.join(folder, old))
}

const runtimes = sanitizers
  .split(',')
  .map((kind) => ({ address: 'asan', undefined: 'ubsan', thread: 'tsan' })[kind])
const libraries = await Promise.all(runtimes.map((lib) => $`c++ -print-file-name=lib${lib}.so`))
// Node itself is not instrumented: it never frees some memory, and it races in ways that are its own affair.
const options = `log_path=${logs}:detect_leaks=0:allocator_may_return_null=1:print_stacktrace=1:exitcode=0`
const preload = libraries.map(({ stdout }) => stdout.trim()).join(' ')
const env = {
  ...process.env,
  ASAN_OPTIONS: options,
  UBSAN_OPTIONS: options,
  TSAN_OPTIONS: options,
  TINTYPE_ADDON: path.join(folder, 'tintype.node'),
}
// Resident set sizes mean nothing here. ThreadSanitizer wants the usual address layout, already when it is loaded.
const tests = filters.length > 0 ? filters : ['hostile', 'program', 'weights', 'environments', 'concurrency']
const vitest = [process.execPath, 'node_modules/vitest/vitest.mjs', 'run', '--project', 'native', ...tests]
const { exitCode } = await $({
  stdio: 'inherit',
  env,
  nothrow: true,
})`setarch -R env ${`LD_PRELOAD=${preload}`} ${vitest}`

const reports = (await fs.readdir(folder)).filter((file) => file.startsWith('report.'))
const texts = await Promise.all(reports.map((file) => fs.readFile(path.join(folder, file), 'utf8')))
const ours = texts
  .flatMap((text) => text.split('=================='))
  .filter((text) => /tintype(::|\.node)/.test(text))
for (const text of ours) console.log(text)
console.log(`${ours.length} reports about the addon`)
process.exitCode = ours.length > 0 ? 1 : exitCode
