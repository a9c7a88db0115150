// `require`, for files that are found at run time. Not by importing createRequire by its name: webpack follows what that
// gives, and would bundle everything that could be meant.

import nodeModule from 'node:module'

/** A `require` that looks where the file lies, given by path or URL. */
export const requireFrom = (file: string): NodeJS.Require => nodeModule.createRequire(file)
