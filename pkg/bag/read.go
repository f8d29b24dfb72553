package bag

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"slices"
)

// Reader is a bag that is there: what a listing of it shows. Names are relative to the bag's folder, slash-separated.
type Reader struct {
	files    map[string]file
	folds    map[string]string // by the folded name
	problems []Problem         // of the listing
	close    func() error
}

// file is one that is there.
type file struct {
	size    int64
	open    func() (io.ReadCloser, error)
	refused bool // nobody reads it
}

// Problem is one thing that is wrong with a bag.
type Problem struct {
	File string // as it may be shown
	Kind string
	What string
}

// The kinds of problems.
const (
	Missing  = "missing"  // a list names a file that is not there, or the bag lacks one that each must have
	Changed  = "changed"  // a file's bytes are not those that the list says
	Unlisted = "unlisted" // a file that no list names
	Refused  = "refused"  // a file that must not be taken: by its name, or for what it is
	BadList  = "bad-list" // a file about the bag can not be read, or says what is not so
)

// ErrNoBag says that something is no bag, or one that is not to be read at all.
var ErrNoBag = errors.New("no bag that can be read")

const declaration = "bagit.txt"

// Open opens a bag: a folder, or a ZIP file with one folder in it (RFC 8493 section 4.2). It reads names only; Check tells what is
// wrong with them. The caller closes the bag.
func Open(path string) (*Reader, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("open bag: %w", err)
	case info.IsDir():
		return openFolder(path)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("open bag: %s is neither a folder nor a file: %w", path, ErrNoBag)
	}
	return openZIP(path)
}

func newReader(close func() error) *Reader {
	return &Reader{files: make(map[string]file), folds: make(map[string]string), close: close}
}

// Close ends reading.
func (r *Reader) Close() error { return r.close() }

// Names gives the names of all files that may be read, sorted.
func (r *Reader) Names() []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(r.files)) {
		if !r.files[name].refused {
			names = append(names, name)
		}
	}
	return names
}

// Has tells whether there is a file that may be read.
func (r *Reader) Has(name string) bool {
	f, there := r.files[name]
	return there && !f.refused
}

// Size is the size of all files, as the listing shows it.
func (r *Reader) Size() (bytes int64) {
	for _, f := range r.files {
		bytes += f.size
	}
	return bytes
}

// Open opens a file. What comes of one in a ZIP file ends with an error if it is not as long as the listing shows, or fails its
// checksum.
func (r *Reader) Open(name string) (io.ReadCloser, error) {
	if !r.Has(name) {
		return nil, fmt.Errorf("open %s: %w", Shown(name), os.ErrNotExist)
	}
	return r.files[name].open()
}

// ReadSmall gives a file of at most so many bytes whole.
func (r *Reader) ReadSmall(name string, most int64) ([]byte, error) {
	f, err := r.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(data)) > most {
		err = fmt.Errorf("it has more than %d bytes", most)
	}
	return data, err
}

// tell notes what is wrong with a name.
func (r *Reader) tell(name, why string) {
	r.problems = append(r.problems, Problem{Shown(name), Refused, why})
}

// refuse notes a file that is not to be read.
func (r *Reader) refuse(name, why string) {
	r.files[name] = file{refused: true}
	r.tell(name, why)
}

// add notes a file, unless something is wrong with its name.
func (r *Reader) add(name string, f file) {
	if err := checkName(name); err != nil {
		r.tell(name, err.Error())
		return
	}
	if _, twice := r.files[name]; twice {
		r.refuse(name, "it is there more than once")
		return
	}
	if other, clash := r.folds[folded(name)]; clash {
		r.tell(name, "where case does not count it has the name of "+Shown(other))
	}
	r.files[name], r.folds[folded(name)] = f, name
}

// settle looks at the names together. Without a declaration it is no bag.
func (r *Reader) settle() error {
	if _, declared := r.files[declaration]; !declared {
		return fmt.Errorf("open bag: there is no %s in it: %w", declaration, ErrNoBag)
	}
	for _, name := range slices.Sorted(maps.Keys(r.files)) {
		for folder := path.Dir(name); folder != "."; folder = path.Dir(folder) {
			if _, both := r.files[folder]; both && !r.files[name].refused {
				r.refuse(name, "it lies in "+Shown(folder)+", which is a file")
			}
		}
	}
	return nil
}
