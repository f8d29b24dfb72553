// Package seal proves that an archive is whole and unaltered. Each window of time is closed by a seal: a Merkle tree over
// the manifests that the journal names in it, and a checkpoint, signed with a key that the archive's keeper holds, which
// also names the checkpoint of the window before. So windows form a chain: nobody without the key changes, removes or
// inserts an order, or a window, unseen; and whoever has the key can not do it under a checkpoint that others keep.
//
// Formats, with vectors, are in docs/evidence.md. The tree is that of RFC 6962 section 2.1; the checkpoint that of C2SP
// (c2sp.org/tlog-checkpoint, c2sp.org/signed-note). No SDK is linked, and no timestamp client: that is package stamp.
package seal

import "errors"

// Version is the number in a checkpoint's first extension line. Raise it when a reader of the old version would
// misunderstand the new one, and add a vector to testdata: older readers refuse it with archive.ErrNewer, newer ones must
// read every version before.
const Version = 1

// ErrFormat says that leaves, a checkpoint, a key or a proof are not of the form that docs/evidence.md tells.
var ErrFormat = errors.New("not of the form that docs/evidence.md tells")
