package archive

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/kycvault/kycvault/pkg/bucket"
)

// ManifestVersion is written into every manifest. Raise it when a reader of the old version would misunderstand the new
// one, and add a vector to testdata: older readers refuse it with ErrNewer, newer ones must read every version before.
//
// Version 2 knows files that are stored encrypted. A manifest without one is still written as version 1, with the bytes that
// it always had.
const ManifestVersion = 2

// File is one file of an order, as its manifest names it.
type File struct {
	Name      string    `json:"name"`
	Kind      Kind      `json:"kind"`
	MediaType string    `json:"mediaType"` // of the plain bytes, as are size and digest
	Size      int64     `json:"size"`      // bytes
	SHA256    string    `json:"sha256"`    // lower-case hex
	Flag      string    `json:"flag,omitempty"`
	Stored    *StoredAs `json:"stored,omitempty"` // of an encrypted file: what lies there; nil where that is the plain bytes
}

// StoredAs is the stored object of an encrypted file.
type StoredAs struct {
	Size   int64  `json:"size"`   // bytes
	SHA256 string `json:"sha256"` // lower-case hex
}

// StoredAs gives size and digest of the object that lies there.
func (f File) StoredAs() StoredAs {
	if f.Stored != nil {
		return *f.Stored
	}
	return StoredAs{Size: f.Size, SHA256: f.SHA256}
}

// Manifest is the commit of an order (DESIGN section 6).
type Manifest struct {
	Version    int       `json:"version"`
	Order      Order     `json:"orderNo"`
	AppID      string    `json:"appId"`
	State      string    `json:"state"` // "archived" or "partial"
	Result     Verdict   `json:"result"`
	Files      []File    `json:"files"`
	Missing    []string  `json:"missing"`
	Previous   string    `json:"previous"` // SHA-256 of the manifest before, "" for the first
	FirstSeen  time.Time `json:"firstSeen"`
	ArchivedAt time.Time `json:"archivedAt"`
	Attempts   int       `json:"attempts"`
	Source     string    `json:"source"` // the upstream's host
	Writer     string    `json:"writer"` // program and version
}

// The states a manifest can have.
const (
	Archived = "archived" // a file for every medium that was wanted
	Partial  = "partial"  // given up with something missing
)

// Verdict is the part of the result that the manifest repeats; no personal fields.
type Verdict struct {
	Code     string `json:"code"`
	Occurred string `json:"occurredTime"`
}

// ParseManifest reads a manifest. A newer version's is refused with ErrNewer, a broken one with ErrDamaged.
func ParseManifest(data []byte) (Manifest, error) {
	var m Manifest
	if err := decode("manifest", data, ManifestVersion, &m); err != nil {
		return Manifest{}, err
	}
	if _, err := ParseOrder(string(m.Order)); err != nil || m.Version < 1 {
		return Manifest{}, fmt.Errorf("parse manifest: no version or order number: %w", ErrDamaged)
	}
	if m.State != Archived && m.State != Partial {
		return Manifest{}, fmt.Errorf("parse manifest: no state: %w", ErrDamaged)
	}
	for _, f := range m.Files {
		name, ok := ParseFileName(f.Name)
		if !ok || name.Kind != f.Kind || name.Digest != f.SHA256 || f.Size < 0 {
			return Manifest{}, fmt.Errorf("parse manifest: a file's name, kind and digest do not agree: %w", ErrDamaged)
		}
		if name.Encrypted() != (f.Stored != nil) || f.Stored != nil && (f.Stored.Size < 0 || !isDigest(f.Stored.SHA256)) {
			return Manifest{}, fmt.Errorf("parse manifest: an encrypted file without what is stored of it, or a plain one with that: %w", ErrDamaged)
		}
	}
	if m.Version < m.version() {
		return Manifest{}, fmt.Errorf("parse manifest: version %d knows no encrypted files: %w", m.Version, ErrDamaged)
	}
	return m, nil
}

// version is the least one whose readers understand the manifest.
func (m Manifest) version() int {
	if slices.ContainsFunc(m.Files, func(f File) bool { return f.Stored != nil }) {
		return ManifestVersion
	}
	return 1
}

// Encode writes a manifest; parse and encode give the same bytes.
func (m Manifest) Encode() ([]byte, error) {
	m.Version = m.version()
	if m.Files == nil {
		m.Files = []File{}
	}
	if m.Missing == nil {
		m.Missing = []string{}
	}
	return encode(m)
}

// Names tells whether the manifest names the file.
func (m Manifest) Names(file string) bool {
	return slices.ContainsFunc(m.Files, func(f File) bool { return f.Name == file })
}

// SameAs compares two manifests by files and missing, never by bytes or times (DESIGN section 3, rule 4).
func (m Manifest) SameAs(o Manifest) bool {
	names := func(m Manifest) []string {
		var s []string
		for _, f := range m.Files {
			s = append(s, f.Name)
		}
		slices.Sort(s)
		return s
	}
	missing := func(m Manifest) []string { return slices.Sorted(slices.Values(m.Missing)) }
	return slices.Equal(names(m), names(o)) && slices.Equal(missing(m), missing(o))
}

// SortFiles puts files into a manifest's order: by kind, and of one kind the best first (one that looks right before an
// odd one; else as they came).
func SortFiles(files []File) {
	rank := map[Kind]int{Photo: 1, Video: 2, Result: 3}
	odd := func(f File) int {
		if f.Flag != "" {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(files, func(a, b File) int {
		return cmp.Or(rank[a.Kind]-rank[b.Kind], odd(a)-odd(b))
	})
}

// Stored is a manifest as it lies in the archive.
type Stored struct {
	Manifest
	N      int
	Digest string // SHA-256 of the stored bytes
}

// Manifests reads an order's manifests by key, upwards from manifest.json; the last is the one that counts. They are
// never found by listing (DESIGN section 3, rule 9).
func (a *Archive) Manifests(ctx context.Context, o Order) ([]Stored, error) {
	var all []Stored
	for n := 1; ; n++ {
		s, found, err := a.manifest(ctx, o, n)
		if err != nil {
			return nil, fmt.Errorf("read %s of order %s: %w", ManifestName(n), o, err)
		}
		if !found {
			return all, nil
		}
		all = append(all, s)
	}
}

func (a *Archive) manifest(ctx context.Context, o Order, n int) (s Stored, found bool, err error) {
	data, found, err := a.read(ctx, FileKey(o, ManifestName(n)))
	if err != nil || !found {
		return Stored{}, false, err
	}
	m, err := ParseManifest(data)
	if err == nil && m.Order != o {
		err = fmt.Errorf("it is about another order: %w", ErrDamaged)
	}
	sum := sha256.Sum256(data)
	return Stored{Manifest: m, N: n, Digest: hex.EncodeToString(sum[:])}, true, err
}

// ErrTaken says that manifest n exists already: another step was first. Read the manifests again.
var ErrTaken = errors.New("manifest number is taken")

// CreateManifest writes manifest n, create-once, after everything it names.
func (a *Archive) CreateManifest(ctx context.Context, n int, m Manifest) (Stored, error) {
	data, err := m.Encode()
	if err != nil {
		return Stored{}, err
	}
	c := bucket.Bytes(data, jsonType)
	c.Retain = true
	err = a.b.Create(ctx, FileKey(m.Order, ManifestName(n)), c)
	switch {
	case errors.Is(err, bucket.ErrExists):
		return Stored{}, ErrTaken
	case err != nil:
		return Stored{}, fmt.Errorf("commit order %s: %w", m.Order, err)
	}
	m.Version = m.version()
	return Stored{Manifest: m, N: n, Digest: hex.EncodeToString(c.SHA256[:])}, nil
}

// Journal creates the journal entry of a stored manifest; already there is success, for a retry makes the same key.
func (a *Archive) Journal(ctx context.Context, s Stored) error {
	if err := a.createOnce(ctx, s.journalKey(), nil, ""); err != nil {
		return fmt.Errorf("write journal entry of order %s: %w", s.Order, err)
	}
	return nil
}

// Journaled reads the key of a manifest's journal entry.
func (a *Archive) Journaled(ctx context.Context, s Stored) (bool, error) {
	found, err := a.exists(ctx, s.journalKey())
	if err != nil {
		return false, fmt.Errorf("read journal entry of order %s: %w", s.Order, err)
	}
	return found, nil
}

func (s Stored) journalKey() string { return JournalKey(s.ArchivedAt, s.Order, s.Digest) }
