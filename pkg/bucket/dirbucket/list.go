package dirbucket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strings"

	"github.com/kycvault/kycvault/pkg/bucket"
)

// readBatch is how many names are read at a time, so that a big folder is never held whole for a few matches.
const readBatch = 1024

// errStop ends a listing that its caller has seen enough of.
var errStop = errors.New("listing stopped")

// List implements bucket.Bucket. It reads a folder's names when it comes to the folder, and looks at a file when it
// comes to the file. Names that can not be keys are passed over.
func (b *Bucket) List(ctx context.Context, prefix, after string) iter.Seq2[bucket.Object, error] {
	return func(yield func(bucket.Object, error) bool) {
		err := b.inPlace() // a folder that was removed has no names
		if err == nil {
			err = (&listing{ctx: ctx, after: after, yield: yield}).start(b.root, prefix)
		}
		if err != nil && !errors.Is(err, errStop) {
			yield(bucket.Object{}, bucket.Wrap("list objects", prefix, explain(err)))
		}
	}
}

type listing struct {
	ctx   context.Context
	after string
	yield func(bucket.Object, error) bool
}

// start goes to the deepest folder that all keys with the prefix lie in.
func (l *listing) start(root *os.Root, prefix string) error {
	if err := bucket.CheckPrefix(prefix); err != nil {
		return err
	}
	i := strings.LastIndexByte(prefix, '/')
	if i < 0 {
		return l.walk(root, "", prefix)
	}
	return l.enter(root, prefix[:i], prefix[:i+1], prefix[i+1:])
}

func (l *listing) enter(above *os.Root, name, folder, prefix string) error {
	root, err := above.OpenRoot(name)
	if missing(err) { // before asking again: it may appear meanwhile
		return nil
	}
	if err != nil {
		if info, statErr := above.Stat(name); missing(statErr) || statErr == nil && !info.IsDir() {
			return nil
		}
		return err
	}
	defer func() { _ = root.Close() }()
	return l.walk(root, folder, prefix)
}

// walk yields what lies in a folder. folder is its key with a slash at the end, prefix is what names must begin with.
func (l *listing) walk(root *os.Root, folder, prefix string) error {
	after, behind := strings.CutPrefix(l.after, folder)
	if !behind && l.after > folder {
		return nil // every key in here is smaller
	}
	if !behind {
		after = ""
	}
	names, err := l.names(root, prefix, after)
	if err != nil {
		return err
	}
	return l.visitAll(root, folder, names, after)
}

// visitAll visits names in the order of the keys they lead to. A folder's keys begin with its name and a slash, so what
// sorts between the name alone and that, such as "a.b" between "a" and "a/", comes first: the folder waits meanwhile.
func (l *listing) visitAll(root *os.Root, folder string, names []string, after string) error {
	var waiting []string // folders; the last one is due first
	for i, name := range names {
		names[i] = "" // a folder may have 100,000: what was visited is let go
		due := len(waiting)
		for due > 0 && waiting[due-1]+"/" < name {
			due--
		}
		if err := l.enterAll(root, folder, waiting[due:]); err != nil {
			return err
		}
		waiting = waiting[:due]
		isFolder, err := l.visit(root, folder, name, after)
		if err != nil {
			return err
		}
		if isFolder {
			waiting = append(waiting, name)
		}
	}
	return l.enterAll(root, folder, waiting)
}

// enterAll goes into folders, the last one first.
func (l *listing) enterAll(root *os.Root, folder string, names []string) error {
	for _, name := range slices.Backward(names) {
		if err := l.enter(root, name, folder+name+"/", ""); err != nil {
			return err
		}
	}
	return nil
}

// visit yields a file, or tells that the name is a folder's.
func (l *listing) visit(root *os.Root, folder, name, after string) (isFolder bool, err error) {
	if err := l.ctx.Err(); err != nil {
		return false, err
	}
	info, err := root.Lstat(name)
	switch {
	case missing(err): // deleted meanwhile
		return false, nil
	case err != nil:
		return false, err
	case info.IsDir():
		return true, nil
	case !info.Mode().IsRegular():
		return false, fmt.Errorf("%s%s: %w", folder, name, errStrange)
	case name <= after:
		return false, nil
	case !l.yield(object(folder+name, info), nil):
		return false, errStop
	}
	return false, nil
}

// names reads, sorted, the names in a folder that begin with prefix and may lead to keys greater than after. It does
// not ask what they are, as a folder may hold very many.
func (l *listing) names(root *os.Root, prefix, after string) ([]string, error) {
	f, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	var names []string
	for {
		batch, err := f.Readdirnames(readBatch)
		for _, name := range batch {
			if strings.HasPrefix(name, prefix) && beyond(name, after) && bucket.CheckKey(name) == nil {
				names = append(names, name)
			}
		}
		if errors.Is(err, io.EOF) {
			slices.Sort(names)
			return names, nil
		}
		if err == nil {
			err = l.ctx.Err()
		}
		if err != nil {
			return nil, err
		}
	}
}

// beyond tells whether a name may lead to a key greater than after: it is greater, or it may be a folder that after is
// in or that comes after it.
func beyond(name, after string) bool { return name > after || strings.HasPrefix(after, name) }
