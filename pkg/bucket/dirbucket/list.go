package dirbucket

import (
	"context"
	"errors"
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

// List implements bucket.Bucket. It reads a folder's names when it comes to the folder, and a file's size and time when
// it yields the file. Names that can not be keys are passed over.
func (b *Bucket) List(ctx context.Context, prefix, after string) iter.Seq2[bucket.Object, error] {
	return func(yield func(bucket.Object, error) bool) {
		l := listing{ctx: ctx, after: after, yield: yield}
		err := l.start(b.root, prefix)
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
	for _, name := range names {
		if err := l.visit(root, folder, name); err != nil {
			return err
		}
	}
	return nil
}

// visit goes on with a folder, whose name has a slash at the end, or yields a file.
func (l *listing) visit(root *os.Root, folder, name string) error {
	if err := l.ctx.Err(); err != nil {
		return err
	}
	if inner, ok := strings.CutSuffix(name, "/"); ok {
		return l.enter(root, inner, folder+name, "")
	}
	info, err := root.Lstat(name)
	if missing(err) {
		return nil // deleted meanwhile
	}
	if err != nil {
		return err
	}
	if !l.yield(object(folder+name, info), nil) {
		return errStop
	}
	return nil
}

// names reads the names in a folder that begin with prefix and may lead to keys greater than after, in the order of
// the keys they lead to: a folder sorts as its name and a slash, so "a.b" comes before "a/b".
func (l *listing) names(root *os.Root, prefix, after string) ([]string, error) {
	f, err := root.Open(".")
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	var names []string
	for {
		entries, err := f.ReadDir(readBatch)
		for _, entry := range entries {
			name, err := keyPart(entry, prefix)
			if err != nil {
				return nil, err
			}
			if name != "" && beyond(name, after) {
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

// keyPart gives a file's name, a folder's name with a slash, or "" for what is no part of a key with the prefix.
func keyPart(entry os.DirEntry, prefix string) (string, error) {
	name := entry.Name()
	switch {
	case !strings.HasPrefix(name, prefix) || bucket.CheckKey(name) != nil:
		return "", nil
	case entry.IsDir():
		return name + "/", nil
	case !entry.Type().IsRegular():
		return "", errStrange
	}
	return name, nil
}

// beyond tells whether a name can lead to a key greater than after: it is greater, or it is a folder that after is in.
func beyond(name, after string) bool {
	return name > after || strings.HasSuffix(name, "/") && strings.HasPrefix(after, name)
}
