package aws_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/agekey"
	"github.com/kycvault/kycvault/pkg/faceid/faceidtest"
	"github.com/kycvault/kycvault/pkg/peertest"
)

// TestEncryptedOrders: with recipients in the template, what pull stores opens with age's own command and either secret key, is
// what the names say, and shows nothing plain in the store; name and ID number are kept.
func TestEncryptedOrders(t *testing.T) {
	t.Parallel()
	ours, theirs, foreign := newPair(t), newPair(t), newPair(t)
	w := newCloudWith(t, map[string]string{"Recipients": ours.Public + "," + theirs.Public, "Identity": "keep"}, faceidtest.Config{MediaAfter: -1})
	orders := w.promised("ok1", "own1", "notsame1", "oddjpegA1") // an odd photo takes several steps
	stop := w.run(mischief{})
	w.wait(time.Minute, orders...)
	stop()

	mine, other := w.file("ours.txt", ours.File), w.file("theirs.txt", theirs.File)
	plain := make(map[string][]byte) // by the file
	for _, order := range orders {
		files := w.files("orders/" + order + "/*.*.*") // all but manifests
		if len(files) != 3 {
			t.Errorf("order %s has the files %q", order, files)
		}
		for _, file := range files {
			plain[file] = peertest.Age(t, mine, file)
			isWhatItsNameSays(t, file, plain[file])
			if !bytes.Equal(peertest.Age(t, other, file), plain[file]) {
				t.Errorf("%s: the second key opens something else", file)
			}
		}
	}
	w.showsNothing(plain)

	verify := []string{"verify", "--read-only"}
	for _, args := range [][]string{verify, append(verify, "--identity", mine), append(verify, "--identity", other)} {
		if code, output := w.kycvault(args...); code != 0 || !strings.Contains(output, "4 orders, 12 files") {
			t.Errorf("kycvault %q ends with %d:\n%s", args, code, output)
		}
	}
	if code, output := w.kycvault(append(verify, "--identity", w.file("foreign.txt", foreign.File))...); code != 1 || strings.Count(output, "damaged locked") != 12 {
		t.Errorf("with another key, kycvault verify ends with %d:\n%s", code, output)
	}
	w.callsAreAllowed(w.functions()...)
	w.holdsSecrets()
}

func newPair(t *testing.T) agekey.Pair {
	t.Helper()
	p, err := agekey.NewPair(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// isWhatItsNameSays compares decrypted bytes with the digest in the name, and looks for what should be in them.
func isWhatItsNameSays(t *testing.T, file string, plain []byte) {
	t.Helper()
	name, order := filepath.Base(file), filepath.Base(filepath.Dir(file))
	kind, rest, _ := strings.Cut(name, ".")
	sum := sha256.Sum256(plain)
	if !strings.HasPrefix(rest, hex.EncodeToString(sum[:])+".") || !strings.HasSuffix(rest, ".age") {
		t.Errorf("%s of order %s has the plain digest %x", name, order, sum)
	}
	switch {
	case kind == "result":
		if !bytes.Contains(plain, []byte(faceidtest.Name)) || !bytes.Contains(plain, []byte(faceidtest.IDNo)) {
			t.Errorf("the result of order %s lacks name or ID number", order)
		}
	case order == "ok1":
		if want := map[string][]byte{"photo": faceidtest.Photo(), "video": faceidtest.Video()}[kind]; !bytes.Equal(plain, want) {
			t.Errorf("the %s of order %s is not the service's", kind, order)
		}
	}
}

// showsNothing looks for the middle of each plain file, for name and ID number in all that the store has on its disk, old versions too.
func (w *cloud) showsNothing(plain map[string][]byte) {
	w.t.Helper()
	needles := [][]byte{[]byte(faceidtest.Name), []byte(faceidtest.IDNo)}
	for _, data := range plain {
		needles = append(needles, data[len(data)/2:len(data)/2+32])
	}
	looked := 0
	err := filepath.WalkDir(filepath.Dir(w.s3.Root), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		for _, needle := range needles {
			if bytes.Contains(data, needle) {
				w.t.Errorf("%s shows plain bytes", path)
			}
		}
		looked++
		return err
	})
	if err != nil || looked < len(plain) {
		w.t.Errorf("%d files were looked at, %v", looked, err)
	}
}
