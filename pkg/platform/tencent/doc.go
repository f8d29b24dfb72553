// Package tencent is the platform of the three functions for Tencent SCF: what the runtime and its triggers send becomes
// calls of the core, and nothing of the flow stands here.
//
// # What SCF is like (PLATFORMS, "Tencent SCF")
//
// Variables, and the temporary credentials of the function's role, come with each invocation; before the first one they may
// not be there at all. So nothing is read at the start: the configuration is read at the first invocation, the core is wired
// once then, and credentials are read anew for each use.
//
// # When an invocation fails
//
// SCF delivers an asynchronous event again, by default twice, a minute apart, when its invocation failed. An invocation
// fails only when that can help, or when a person has to look:
//
//   - an event of the wrong kind, since a trigger is bound to the wrong function;
//   - a configuration with mistakes, with all of them in the error; it is read again at the next invocation;
//   - at pull, when every step of the event failed because the archive could not be read or written: a minute later it may
//     be back. Of an array in which some steps went well the rest waits for the timer: the platform would repeat them all;
//   - at refetch, when the pass failed.
//
// It does not fail for a message that can never work (logged, dropped), for a service that does not answer (the order's note
// has it), for steps that there was no time left for, nor for a step that panicked: the order's marker is in the archive, and
// the timer's next pass takes it up.
//
// The webhook's answer always has a status code, since SCF makes a 200 of any answer without one.
package tencent
