package archive

// Damage is what Verify found at one key.
type Damage struct {
	Order Order  `json:"orderNo"`
	Key   string `json:"key"`
	Kind  string `json:"kind"`
	What  string `json:"what"`
	How   string `json:"how,omitempty"`  // of a changed file
	From  string `json:"from,omitempty"` // of a swapped file: the key whose bytes it holds
}

// The kinds of damage.
const (
	Missing     = "missing"      // a manifest names a file that is not there
	Changed     = "changed"      // a file's bytes are not those its name and manifest say
	BadManifest = "bad-manifest" // a manifest can not be read, or does not follow the one before
	Unnamed     = "unnamed"      // evidence that no manifest names, of an order that does not wait: verify mends it
	Unjournaled = "unjournaled"  // a manifest without its journal entry: verify mends it
	Unknown     = "unknown"      // an object below orders/ or journal/ that this version does not know
	NoManifest  = "no-manifest"  // a journal entry without its manifest
	Locked      = "locked"       // an encrypted file that none of the given secret keys opens
	Leftover    = "leftover"     // a marker or note of an order that is archived: verify mends it
)

// How a file is changed.
const (
	Altered    = "altered"    // other bytes, as many
	Truncated  = "truncated"  // fewer bytes
	Extended   = "extended"   // more bytes
	Swapped    = "swapped"    // the bytes of another file of the archive
	Miscounted = "miscounted" // the right bytes; the manifest's size is wrong
	Forged     = "forged"     // of an encrypted file: what is stored is as the manifest says, the plain bytes are not
)

// Mendable tells whether a pull step on the order mends the damage.
func (d Damage) Mendable() bool {
	return d.Kind == Unnamed || d.Kind == Unjournaled || d.Kind == Leftover
}
