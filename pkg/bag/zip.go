package bag

import (
	"archive/zip"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// maxRatio is how many times its size a ZIP file may hold. Media do not get smaller, lists and manifests twenty times at most; what
// promises more than this is a bomb.
const maxRatio = 100

// freeBytes may be held by however small a ZIP file.
const freeBytes = 1 << 20

func openZIP(path string) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open bag: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open bag: %w", err), f.Close())
	}
	r, err := NewZIP(f, info.Size())
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	r.close = f.Close
	return r, nil
}

// NewZIP opens a bag in a ZIP file of size bytes. Closing the bag does not close the file.
func NewZIP(file io.ReaderAt, size int64) (*Reader, error) {
	z, err := zip.NewReader(file, size)
	if err != nil && !errors.Is(err, zip.ErrInsecurePath) { // whose names add looks at
		return nil, fmt.Errorf("open bag: neither a folder nor a ZIP file: %w (%w)", ErrNoBag, err)
	}
	if len(z.File) > maxFiles {
		return nil, fmt.Errorf("open bag: more than %d files: %w", maxFiles, ErrNoBag)
	}
	top, err := topFolder(z.File)
	if err != nil {
		return nil, err
	}
	r := newReader(func() error { return nil })
	sums := sizes{file: uint64(size)}
	for _, entry := range z.File {
		r.addEntry(entry, top, &sums)
	}
	if err := sums.check(); err != nil {
		return nil, err
	}
	return r, r.settle()
}

// topFolder finds the one folder that is the bag: the one that has the declaration.
func topFolder(entries []*zip.File) (string, error) {
	top := ""
	for _, entry := range entries {
		folder, found := strings.CutSuffix(entry.Name, "/"+declaration)
		switch {
		case entry.Name == declaration:
			return "", fmt.Errorf("open bag: its files lie beside each other in the ZIP file, and not in one folder (RFC 8493 section 4.2): %w", ErrNoBag)
		case !found || strings.Contains(folder, "/") || folder == top:
		case top != "":
			return "", fmt.Errorf("open bag: there are two in the ZIP file, %s and %s: %w", Shown(top), Shown(folder), ErrNoBag)
		default:
			top = folder
		}
	}
	if top == "" || checkName(top) != nil {
		return "", fmt.Errorf("open bag: the ZIP file has no folder with a %s in it: %w", declaration, ErrNoBag)
	}
	return top, nil
}

// addEntry notes an entry of the ZIP file, if it is a file of the bag.
func (r *Reader) addEntry(entry *zip.File, top string, sums *sizes) {
	name := entry.Name
	folder := strings.HasSuffix(name, "/")
	if err := checkName(strings.TrimSuffix(name, "/")); err != nil {
		r.tell(name, err.Error())
		return
	}
	inside, found := strings.CutPrefix(name, top+"/")
	if !found {
		r.tell(name, "it lies outside the bag's folder "+Shown(top)+" (RFC 8493 section 4.2)")
		return
	}
	if why := strange(entry, sums.file); why != "" {
		r.refuse(inside, why)
		return
	}
	sums.add(entry)
	if !folder {
		r.add(inside, file{size: int64(entry.UncompressedSize64), open: entry.Open}) // strange has bounded it
	}
}

// The flags of an entry that say it is encrypted (APPNOTE.TXT section 4.4.4: bits 0, 6 and 13).
const encrypted = 1<<0 | 1<<6 | 1<<13

// strange says why an entry is not to be read; "" is not at all. size is that of the ZIP file.
func strange(entry *zip.File, size uint64) string {
	mode, held := entry.Mode(), entry.UncompressedSize64
	switch {
	case entry.Flags&encrypted != 0:
		return "it is encrypted by the ZIP file; unzip it, and check the folder"
	case entry.Method != zip.Store && entry.Method != zip.Deflate:
		return fmt.Sprintf("it is compressed by method %d, which is not read here (stored and deflated are)", entry.Method)
	case mode.IsDir() && (held > 0 || !strings.HasSuffix(entry.Name, "/")):
		return "it is a folder with bytes of its own"
	case !mode.IsDir() && !mode.IsRegular():
		return "it is a link or a device, and no file"
	case entry.CompressedSize64 > size, entry.Method == zip.Store && held != entry.CompressedSize64:
		return "its sizes can not be"
	case held > entry.CompressedSize64*maxRatio+freeBytes: // which the size of a file keeps small
		return fmt.Sprintf("it would be %d times as large as it is here: a ZIP bomb", held/max(entry.CompressedSize64, 1))
	}
	return ""
}

// sizes are those of all entries together.
type sizes struct {
	file         uint64 // the ZIP file's
	packed, held uint64
}

// add cannot overflow: strange has bounded each size by that of the file, and there are at most maxFiles.
func (s *sizes) add(entry *zip.File) {
	s.packed += entry.CompressedSize64
	s.held += entry.UncompressedSize64
}

// check refuses entries that lie on top of each other: so a small file would hold any number of bytes.
func (s *sizes) check() error {
	if s.packed > s.file || s.held > s.file*maxRatio+freeBytes {
		return fmt.Errorf("open bag: the files in the ZIP file of %d bytes claim %d of them, and to be %d when unpacked: a ZIP bomb: %w", s.file, s.packed, s.held, ErrNoBag)
	}
	return nil
}
