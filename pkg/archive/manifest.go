package archive

import "time"

// ManifestVersion is written into every manifest. Raise it when a reader of the old version would misunderstand the new one.
const ManifestVersion = 1

// File is one file of an order, as its manifest names it.
type File struct {
	Name      string `json:"name"`
	Kind      Kind   `json:"kind"`
	MediaType string `json:"mediaType"`
	Size      int64  `json:"size"`   // bytes
	SHA256    string `json:"sha256"` // lower-case hex
	Flag      string `json:"flag,omitempty"`
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

// Verdict is the part of the result that the manifest repeats; no personal fields.
type Verdict struct {
	Code     string `json:"code"`
	Occurred string `json:"occurredTime"`
}
