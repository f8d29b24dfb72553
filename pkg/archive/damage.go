package archive

// Damage is what Verify found at one key.
type Damage struct {
	Order Order  `json:"orderNo"`
	Key   string `json:"key"`
	Kind  string `json:"kind"`
	What  string `json:"what"`
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
	Leftover    = "leftover"     // a marker or note of an order that is archived: verify mends it
)

// Mendable tells whether a pull step on the order mends the damage.
func (d Damage) Mendable() bool {
	return d.Kind == Unnamed || d.Kind == Unjournaled || d.Kind == Leftover
}
