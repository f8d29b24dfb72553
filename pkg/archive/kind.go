package archive

// Kind is what a file of an order is: the manifest's "kind".
type Kind string

// The kinds of file an order can have.
const (
	Photo  Kind = "photo"
	Video  Kind = "video"
	Result Kind = "result"
)
