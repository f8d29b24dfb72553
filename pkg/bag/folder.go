package bag

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// openFolder opens a bag that is a folder. Nothing outside it is ever read: os.Root holds every name to it, and links are refused.
func openFolder(path string) (*Reader, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("open bag: %w", err)
	}
	r := newReader(root.Close)
	err = fs.WalkDir(root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case len(r.files) >= maxFiles:
			return fmt.Errorf("more than %d files: %w", maxFiles, ErrNoBag)
		case entry.IsDir():
			return nil
		case !entry.Type().IsRegular():
			r.refuse(name, "it is a link or a device, and no file")
			return nil
		}
		return r.addFile(root, name, entry)
	})
	if err != nil {
		err = fmt.Errorf("list bag: %w", err)
	} else {
		err = r.settle()
	}
	if err != nil {
		return nil, errors.Join(err, root.Close())
	}
	return r, nil
}

func (r *Reader) addFile(root *os.Root, name string, entry fs.DirEntry) error {
	info, err := entry.Info()
	if err != nil {
		return err
	}
	r.add(name, file{size: info.Size(), open: func() (io.ReadCloser, error) { return root.Open(name) }})
	return nil
}
