package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/kycvault/kycvault/pkg/agekey"
	"github.com/kycvault/kycvault/pkg/archive"
	"github.com/kycvault/kycvault/pkg/kyc"
)

type getCmd struct {
	Order string   `arg:"" help:"The order number."`
	Dir   string   `short:"o" required:"" placeholder:"DIR" type:"path" help:"The folder to write into; it is made if it is not there."`
	Keys  []string `name:"identity" placeholder:"FILE" type:"path" sep:"none" help:"Secret keys that decrypt what is encrypted; may be given several times."`
	Force bool     `help:"Write over files of these names."`
	JSON  bool     `name:"json" help:"One JSON object on stdout."`

	logFlags
	archiveFlags
}

// Help implements kong.HelpProvider.
func (getCmd) Help() string {
	return `Fetches an order's evidence: photo.jpg (or .png), video.mp4, result.json and manifest.json. What looks odd ends in .bin; a second
file of a kind is photo.2.jpg, and so on, as the manifest lists them. Each file's bytes are checked against the
manifest while they are written, and no file shows before all are whole: a failed command leaves none.

What is stored encrypted is decrypted with --identity, a file of secret keys as kycvault keygen or age-keygen make it; without
it, it is written as it is, as photo.jpg.age and so on, which age -d -i FILE decrypts.

The fields of --json:

    orderNo  the order number
    state    archived or partial
    dir      the folder
    files    of each file: path, and from the manifest name, kind (photo, video, result; manifest for the manifest itself),
             mediaType, size (bytes), sha256, flag where it looks odd, and stored (size, sha256) where it lies encrypted in
             the archive; encrypted is true where what was written is so still
    missing  the media that a partial order lacks

Example:

    kycvault get --archive "file://$PWD/vault" orderNo0001 -o evidence

Exit codes: 0 done, 1 there is nothing to fetch (yet), it is damaged, or could not be written; 2 wrong usage.`
}

// fetched is what --json prints.
type fetched struct {
	Order   archive.Order `json:"orderNo"`
	State   string        `json:"state"`
	Dir     string        `json:"dir"`
	Files   []fetchedFile `json:"files"`
	Missing []string      `json:"missing"`
}

// fetchedFile is one file of the manifest, or the manifest, and where it went.
type fetchedFile struct {
	Path      string `json:"path"`
	Encrypted bool   `json:"encrypted,omitempty"`
	archive.File
}

// written gives size and digest of the file as it lies in the folder.
func (f fetchedFile) written() archive.StoredAs {
	if f.Encrypted {
		return f.StoredAs()
	}
	return archive.StoredAs{Size: f.Size, SHA256: f.SHA256}
}

// Run does it.
func (c *getCmd) Run(ctx context.Context, a *app) error {
	order, err := archive.ParseOrder(c.Order)
	if err != nil {
		return usage(err)
	}
	keys, err := agekey.ReadIdentities(c.Keys...)
	if err != nil {
		return usage(err)
	}
	vault, err := a.openArchive()
	if err != nil {
		return err
	}
	last, err := committed(ctx, vault, order)
	if err != nil {
		return err
	}
	manifest, err := vault.ReadSmall(ctx, order, archive.ManifestName(last.N))
	if err != nil {
		return err
	}
	result := fetched{Order: order, State: last.State, Dir: c.Dir, Files: c.plan(last, int64(len(manifest))), Missing: append([]string{}, last.Missing...)}
	if err := c.refuse(result.Files); err != nil {
		return err
	}
	d := download{vault: vault, order: order, dir: c.Dir, force: c.Force, keys: keys, progress: newProgress(a, result.Files)}
	if err := d.all(ctx, result.Files); err != nil && ctx.Err() != nil {
		return errors.New("interrupted: nothing was written; run the same command again")
	} else if err != nil {
		return err
	}
	return c.report(a, result)
}

// committed gives the manifest that counts, or says why there is none.
func committed(ctx context.Context, vault *archive.Archive, order archive.Order) (archive.Stored, error) {
	all, err := vault.Manifests(ctx, order)
	if err != nil {
		return archive.Stored{}, err
	}
	if len(all) > 0 {
		return all[len(all)-1], nil
	}
	st, err := kyc.Orders{Archive: vault}.Status(ctx, order)
	switch {
	case errors.Is(err, kyc.ErrUnknownOrder):
		return archive.Stored{}, fmt.Errorf("order %s: the archive knows nothing of it", order)
	case err != nil:
		return archive.Stored{}, fmt.Errorf("look at order %s: %w", order, err)
	}
	return archive.Stored{}, fmt.Errorf("order %s is %s, so there is nothing to fetch: %s", order, st.State, meaning[st.State])
}

// plan names the files as they will lie in the folder; the manifest, of size bytes, comes last, as it does in the archive.
func (c *getCmd) plan(m archive.Stored, size int64) []fetchedFile {
	count := make(map[archive.Kind]int)
	var files []fetchedFile
	for _, f := range m.Files {
		count[f.Kind]++
		name := string(f.Kind)
		if n := count[f.Kind]; n > 1 {
			name += "." + strconv.Itoa(n)
		}
		stored, _ := archive.ParseFileName(f.Name)
		ext, closed := stored.Ext, stored.Encrypted() && len(c.Keys) == 0
		if !closed {
			ext = stored.PlainExt()
		}
		files = append(files, fetchedFile{Path: filepath.Join(c.Dir, name+"."+ext), Encrypted: closed, File: f})
	}
	manifest := archive.File{Name: archive.ManifestName(m.N), Kind: "manifest", MediaType: "application/json", Size: size, SHA256: m.Digest}
	return append(files, fetchedFile{Path: filepath.Join(c.Dir, "manifest.json"), File: manifest})
}

// refuse tells of files that are in the way, before anything is fetched.
func (c *getCmd) refuse(files []fetchedFile) error {
	if c.Force {
		return nil
	}
	for _, f := range files {
		if _, err := os.Lstat(f.Path); err == nil {
			return fmt.Errorf("%s is there already; --force writes over it, or choose another folder", f.Path)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("look for a file in the way: %w", err)
		}
	}
	return nil
}

func (c *getCmd) report(a *app, r fetched) error {
	if c.JSON {
		return a.printJSON(r)
	}
	if len(r.Missing) > 0 {
		a.tell(fmt.Sprintf("order %s is partial: %s never came", r.Order, strings.Join(r.Missing, ", ")))
	}
	if slices.ContainsFunc(r.Files, func(f fetchedFile) bool { return f.Encrypted }) {
		a.tell("written encrypted, as stored: --identity FILE decrypts, and so does age -d -i FILE")
	}
	var lines []string
	for _, f := range r.Files {
		is := f.written()
		lines = append(lines, columns(column{text: bytesText(is.Size), width: 9, right: true}, column{text: is.SHA256}, column{text: f.Path}, column{text: f.Flag}))
	}
	return a.printAll(lines)
}
