// A lone word that is nearly a command would be painted for minutes, though somebody most likely meant the command.

import { TintypeError } from '../errors.ts'
import { nearest } from '../nearest.ts'

/** What people type for `--version`. */
const version = 'version'

/**
 * @param commands none where the word came after `--`, which says that it is a prompt
 * @throws TintypeError `INVALID_ARGUMENT` for a word one edit from a command
 */
export function refuseMistakenCommand(prompts: readonly string[], commands: readonly string[]): void {
  const [word, ...more] = prompts
  if (word === undefined || more.length > 0 || commands.length === 0) return
  // One edit only: prompts such as "hip" and "bulb" are two away from a command.
  const meant = nearest(word, [...commands, 'help', version], 1)
  if (meant === undefined) return
  throw new TintypeError('INVALID_ARGUMENT', `There is no command "${word}".`, {
    advice: `Did you mean "tintype ${meant === version ? '--version' : meant}"? To paint it: tintype -- ${word}`,
  })
}
