// Package smallfile reads files that a person names: keys, certificates, checkpoints. Whatever the name leads to, it neither fills the
// memory nor takes for ever.
package smallfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// Most is how many bytes such a file may have.
const Most = 1 << 20

// Read gives a file whole: a regular one, or a pipe, which a shell gives for <(…). Errors have neither its name, since something else
// than a name may have been given for one, nor anything of its content: the caller says which flag or variable it was.
func Read(name string) ([]byte, error) {
	info, err := os.Stat(name)
	if err != nil {
		return nil, cause(err)
	}
	if kind := info.Mode().Type(); kind != 0 && kind != fs.ModeNamedPipe {
		return nil, errors.New("it is no regular file")
	}
	file, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0) // the opening of a pipe without a writer would not end
	if err != nil {
		return nil, cause(err)
	}
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(io.LimitReader(file, Most+1))
	switch {
	case err != nil:
		return nil, cause(err)
	case len(data) > Most:
		return nil, fmt.Errorf("it has more than %d bytes", Most)
	}
	return data, nil
}

// cause is an error of the file system without the name.
func cause(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	return err
}
