// Package bag writes and checks BagIt bags (RFC 8493): files with a list of their digests, in a folder or a ZIP file, which archives
// and courts have known for years. A bag that is not ended does not show under its name; one that is read may be anybody's work.
package bag

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Bag is a bag that is being filled. Names are slash-separated; those below data/ are its payload, all others are about it.
type Bag struct {
	create  func(name string) (io.WriteCloser, error)
	end     func(good bool) error
	payload []string // lines of the manifest
	tags    []string
	bytes   int64
	folds   map[string]string // names by what they are where case does not count
}

// Create begins a bag: a ZIP file if the path ends in .zip, else a folder. Nothing may be there yet.
func Create(path string) (*Bag, error) {
	if _, err := os.Lstat(path); err == nil {
		return nil, fmt.Errorf("make bag: %s is there already; choose another name", path)
	} else if !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("make bag: %w", err)
	}
	if strings.HasSuffix(path, ".zip") {
		return createZIP(path)
	}
	return createFolder(path)
}

func createFolder(path string) (*Bag, error) {
	temp, err := os.MkdirTemp(filepath.Dir(path), ".kycvault-bag-")
	if err != nil {
		return nil, fmt.Errorf("make bag: %w", err)
	}
	return &Bag{
		create: func(name string) (io.WriteCloser, error) {
			file := filepath.Join(temp, filepath.FromSlash(name))
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				return nil, err
			}
			return os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		},
		end: func(good bool) error {
			if !good {
				return os.RemoveAll(temp)
			}
			return os.Rename(temp, path)
		},
	}, nil
}

// createZIP puts the bag into one folder of the file, as RFC 8493 section 4.2 wants it.
func createZIP(path string) (*Bag, error) {
	file, err := os.CreateTemp(filepath.Dir(path), ".kycvault-bag-")
	if err != nil {
		return nil, fmt.Errorf("make bag: %w", err)
	}
	top := strings.TrimSuffix(filepath.Base(path), ".zip") + "/"
	date := time.Date(1980, 1, 1, 12, 0, 0, 0, time.UTC) // without one it unpacks as of 1979, which some programs do not pack again
	archive := zip.NewWriter(file)
	return &Bag{
		create: func(name string) (io.WriteCloser, error) {
			header := &zip.FileHeader{Name: top + name, Method: zip.Store, Modified: date} // media do not get smaller
			w, err := archive.CreateHeader(header)
			return nopCloser{w}, err
		},
		end: func(good bool) error {
			err := errors.Join(archive.Close(), file.Sync(), file.Close())
			if !good || err != nil {
				return errors.Join(err, os.Remove(file.Name()))
			}
			return os.Rename(file.Name(), path)
		},
	}, nil
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

// Add writes a file that fill gives the bytes of. Each name is used once, also where case does not count. After an error, of fill
// too, the bag is to be discarded.
func (b *Bag) Add(name string, fill func(io.Writer) error) error {
	if err := b.claim(name); err != nil {
		return fmt.Errorf("write %s: %w", Shown(name), err)
	}
	w, err := b.create(name)
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	h, size := sha256.New(), counter(0)
	if err := errors.Join(fill(io.MultiWriter(w, h, &size)), w.Close()); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	listed := line(hex.EncodeToString(h.Sum(nil)), name)
	if strings.HasPrefix(name, payloadFolder) {
		b.payload, b.bytes = append(b.payload, listed), b.bytes+int64(size)
	} else {
		b.tags = append(b.tags, listed)
	}
	return nil
}

// claim takes a name.
func (b *Bag) claim(name string) error {
	if err := checkName(name); err != nil {
		return err
	}
	if other, taken := b.folds[folded(name)]; taken {
		return fmt.Errorf("the bag has %s already, which some systems take for the same; make a bag for each", Shown(other))
	}
	if b.folds == nil {
		b.folds = make(map[string]string)
	}
	b.folds[folded(name)] = name
	return nil
}

// counter counts the bytes that are written to it.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// AddBytes is Add for a small file.
func (b *Bag) AddBytes(name string, data []byte) error {
	return b.Add(name, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// Info is what bag-info.txt says.
type Info struct {
	Software    string
	Description string
	At          time.Time
}

// Close writes the lists and gives the bag its name.
func (b *Bag) Close(info Info) error {
	slices.Sort(b.payload)
	about := fmt.Sprintf("Bag-Software-Agent: %s\nBagging-Date: %s\nExternal-Description: %s\nPayload-Oxum: %d.%d\n",
		info.Software, info.At.UTC().Format(time.DateOnly), info.Description, b.bytes, len(b.payload))
	err := errors.Join(
		b.AddBytes(declaration, []byte(declared)),
		b.AddBytes(infoFile, []byte(about)),
		b.AddBytes(payloadList, []byte(strings.Join(b.payload, ""))),
	)
	slices.Sort(b.tags)
	if err = errors.Join(err, b.AddBytes(tagList, []byte(strings.Join(b.tags, "")))); err != nil {
		return errors.Join(err, b.end(false))
	}
	if err := b.end(true); err != nil {
		return fmt.Errorf("end bag: %w", err)
	}
	return nil
}

// Discard removes what was written of a bag that will not be ended.
func (b *Bag) Discard() { _ = b.end(false) }
