package bundle

import (
	"path"
	"strings"

	"github.com/kycvault/kycvault/pkg/archive"
)

// Where things are in a bag.
const (
	ordersFolder = "data/orders"
	sealsFolder  = "data/seals"

	// CAFile has the certificates of the timestamp authority.
	CAFile = "data/keys/tsa-ca.pem"
	// Readme tells how the bag is checked, and Script is the part of that which needs a program.
	Readme = "README.md"
	Script = "check.py"
	// KeyFile is, in a seal's folder, the public key that its checkpoint is signed with.
	KeyFile = "key.pem"

	proofExt = ".proof"
)

// OrderFile is a file of an order: a manifest, or evidence.
func OrderFile(o archive.Order, name string) string { return path.Join(ordersFolder, string(o), name) }

// ProofFile is the inclusion proof of a manifest.
func ProofFile(o archive.Order, manifest string) string { return OrderFile(o, manifest) + proofExt }

// SealFile is an object of a seal, by the name of its folder in the archive.
func SealFile(seal, object string) string { return path.Join(sealsFolder, seal, object) }

// aboutBag are the files beside the payload.
var aboutBag = map[string]bool{
	"bagit.txt": true, "bag-info.txt": true, "manifest-sha256.txt": true, "tagmanifest-sha256.txt": true, Readme: true, Script: true,
}

// split takes the name of a file in data/orders or data/seals apart; false for any other.
func split(name, folder string) (group, file string, ok bool) {
	rest, inside := strings.CutPrefix(name, folder+"/")
	group, file, deeper := strings.Cut(rest, "/")
	return group, file, inside && deeper && !strings.Contains(file, "/")
}
