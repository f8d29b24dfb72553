package agekey_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/kycvault/kycvault/pkg/agekey"
	"github.com/kycvault/kycvault/pkg/peertest"
)

var created = time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)

func newPair(t testing.TB) agekey.Pair {
	t.Helper()
	pair, err := agekey.NewPair(created)
	if err != nil {
		t.Fatal(err)
	}
	return pair
}

func recipients(t testing.TB, list ...string) agekey.Recipients {
	t.Helper()
	r, err := agekey.ParseRecipients(strings.Join(list, ","))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func identities(t testing.TB, pairs ...agekey.Pair) agekey.Identities {
	t.Helper()
	var files []string
	for i, pair := range pairs {
		files = append(files, filepath.Join(t.TempDir(), string(rune('a'+i))))
		if err := os.WriteFile(files[i], pair.File, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	keys, err := agekey.ReadIdentities(files...)
	if err != nil || len(keys) != len(pairs) {
		t.Fatal(len(keys), err)
	}
	return keys
}

func encrypt(t testing.TB, to agekey.Recipients, note, plain []byte) []byte {
	t.Helper()
	var file bytes.Buffer
	w, err := to.Encrypt(&file, note)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func decrypt(keys agekey.Identities, file []byte) ([]byte, error) {
	r, err := keys.Decrypt(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

// Keys that are not taken. The second is 32 bytes of zero in Bech32: a point of low order.
const (
	quantum = "age1pq1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq"
	zero    = "age1qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq5cu47z"
)

func TestParseRecipientsListsAllMistakes(t *testing.T) {
	good, other := newPair(t), newPair(t)
	_, secret, _ := strings.Cut(string(good.File), "AGE-SECRET-KEY-1")
	secret = "AGE-SECRET-KEY-1" + strings.TrimSpace(secret)
	mistyped := good.Public[:20] + "q" + good.Public[21:]
	if mistyped == good.Public {
		mistyped = good.Public[:20] + "p" + good.Public[21:]
	}
	list := strings.Join([]string{good.Public, secret, quantum, "ssh-ed25519 AAAA", "vault.example.com", mistyped, "", good.Public, other.Public, strings.ToLower(secret), "age-plugin-yubikey-1qqq"}, ", ")
	_, err := agekey.ParseRecipients(list)
	if err == nil {
		t.Fatal("taken")
	}
	want := []string{"key 2 is a secret key", "key 3 is a post-quantum key", "key 4 is an SSH key", "key 5 is no public key", "key 6 is mistyped", "key 7 is empty", "key 8 is key 1 again", "key 10 is a secret key", "key 11 is a secret key"}
	lines := strings.Split(err.Error(), "\n")
	if len(lines) != len(want) {
		t.Fatalf("%d mistakes, want %d: %v", len(lines), len(want), err)
	}
	for i, line := range lines {
		if !strings.HasPrefix(line, want[i]) {
			t.Errorf("%q, want %q…", line, want[i])
		}
	}
	for _, item := range []string{secret, strings.ToLower(secret), mistyped, "vault.example"} {
		if strings.Contains(err.Error(), item) {
			t.Error("the error repeats a key")
		}
	}
}

// TestLowOrderPoint: a key that is written well, and that nothing can be encrypted to, would stop every order.
func TestLowOrderPoint(t *testing.T) {
	if _, err := agekey.ParseRecipients(zero); err == nil || !strings.Contains(err.Error(), "key 1 is a point") {
		t.Errorf("%v", err)
	}
}

func TestParseRecipients(t *testing.T) {
	a, b := newPair(t).Public, newPair(t).Public
	for list, n := range map[string]int{"": 0, " ": 0, a: 1, " " + a + " ,\t" + b: 2} {
		got, err := agekey.ParseRecipients(list)
		if err != nil || len(got) != n {
			t.Errorf("%q: %d, %v", list, len(got), err)
		}
	}
	if got := recipients(t, a, b).String(); got != a+","+b {
		t.Errorf("written as %s", got)
	}
}

// TestAnyOneKeyOpens: of several recipients each one's secret key does, also in a file with others; a stranger's does not.
func TestAnyOneKeyOpens(t *testing.T) {
	ours, lawyer, stranger := newPair(t), newPair(t), newPair(t)
	file := encrypt(t, recipients(t, ours.Public, lawyer.Public), []byte(`{"code":"0"}`), []byte("a face"))
	for name, keys := range map[string]agekey.Identities{"ours": identities(t, ours), "lawyer": identities(t, lawyer), "among others": identities(t, stranger, lawyer)} {
		if plain, err := decrypt(keys, file); err != nil || string(plain) != "a face" {
			t.Errorf("%s: %q, %v", name, plain, err)
		}
	}
	if _, err := decrypt(identities(t, stranger), file); !errors.Is(err, agekey.ErrOtherKey) {
		t.Errorf("stranger: %v", err)
	}
}

// TestNoteIsCovered: a note is read without a key, and one that was changed is found with one.
func TestNoteIsCovered(t *testing.T) {
	pair := newPair(t)
	for _, note := range [][]byte{nil, {}, []byte(`{"code":"0"}`), bytes.Repeat([]byte("n"), 48), bytes.Repeat([]byte("long "), 200)} {
		file := encrypt(t, recipients(t, pair.Public), note, []byte("plain"))
		head, err := agekey.ReadHead(file)
		if err != nil || !bytes.Equal(head.Note, note) || (head.Note == nil) != (note == nil) {
			t.Errorf("%q, %v; want %q", head.Note, err, note)
		}
	}
	file := encrypt(t, recipients(t, pair.Public), []byte("AAAAAAAAAAAAAA"), []byte("plain"))
	changed := bytes.Replace(file, []byte("QUFBQUFB"), []byte("QUFBQUFC"), 1)
	if bytes.Equal(changed, file) {
		t.Fatal("the note was not found")
	}
	if _, err := decrypt(identities(t, pair), changed); err == nil {
		t.Error("a changed note is taken")
	}
}

// TestAgesOwnCommandDecrypts what is stored, with a note and without.
func TestAgesOwnCommandDecrypts(t *testing.T) {
	pair := newPair(t)
	key, path := filepath.Join(t.TempDir(), "key"), filepath.Join(t.TempDir(), "file.age")
	if err := os.WriteFile(key, pair.File, 0o600); err != nil {
		t.Fatal(err)
	}
	plain := bytes.Repeat([]byte("face "), 50_000)
	for _, note := range [][]byte{nil, []byte(`{"code":"0","occurredTime":"20180810150152"}`)} {
		if err := os.WriteFile(path, encrypt(t, recipients(t, newPair(t).Public, pair.Public), note, plain), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := peertest.Age(t, key, path); !bytes.Equal(got, plain) {
			t.Errorf("with note %q: %d other bytes", note, len(got))
		}
	}
}

// TestPlainSize: the layout tells how many plain bytes a file holds, around the ends of chunks too.
func TestPlainSize(t *testing.T) {
	to := recipients(t, newPair(t).Public, newPair(t).Public)
	const chunk = 64 << 10
	for _, n := range []int{0, 1, 15, 16, 17, chunk - 1, chunk, chunk + 1, 2*chunk - 1, 2 * chunk, 2*chunk + 1, 5*chunk + 7} {
		file := encrypt(t, to, []byte("note"), make([]byte, n))
		head, err := agekey.ReadHead(file[:min(len(file), agekey.HeadMost)])
		if err != nil {
			t.Fatal(err)
		}
		if got, err := head.PlainSize(int64(len(file))); err != nil || got != int64(n) {
			t.Errorf("%d bytes: %d, %v", n, got, err)
		}
	}
}

// TestPlainSizeOfAnySize: a file's size can be had from one number of plain bytes, or from none.
func TestPlainSizeOfAnySize(t *testing.T) {
	const chunk, tag, nonce, most = 64 << 10, 16, 16, 3*64<<10 + 100
	empty := encrypt(t, recipients(t, newPair(t).Public), nil, nil)
	head, err := agekey.ReadHead(empty)
	if err != nil {
		t.Fatal(err)
	}
	before := len(empty) - nonce - tag // the header
	holds := make(map[int64]int64)
	for n := range most {
		chunks := max(1, (n+chunk-1)/chunk)
		holds[int64(before+nonce+n+chunks*tag)] = int64(n)
	}
	for size := int64(-2); size < int64(before+most); size++ {
		want, can := holds[size]
		if n, err := head.PlainSize(size); n != want || (err == nil) != can || err != nil && !errors.Is(err, agekey.ErrNoAge) {
			t.Fatalf("a file of %d bytes, of which %d are the header, holds %d, %v; want %d, %t", size, before, n, err, want, can)
		}
	}
}

// TestBegin: of a stream in pieces as much is kept as a header may have, and no more.
func TestBegin(t *testing.T) {
	pair := newPair(t)
	file := encrypt(t, recipients(t, pair.Public), []byte("note"), make([]byte, 3*agekey.HeadMost))
	want, err := agekey.ReadHead(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, piece := range []int{1, 1000, agekey.HeadMost - 1, agekey.HeadMost, agekey.HeadMost + 1, len(file)} {
		var b agekey.Begin
		for rest := file; len(rest) > 0; rest = rest[min(piece, len(rest)):] {
			if n, err := b.Write(rest[:min(piece, len(rest))]); n != min(piece, len(rest)) || err != nil {
				t.Fatalf("pieces of %d: %d, %v", piece, n, err)
			}
		}
		head, err := b.Head()
		if err != nil || string(head.Note) != "note" || cmp.Diff(want, head, cmp.AllowUnexported(agekey.Head{})) != "" {
			t.Errorf("pieces of %d: %+v, %v", piece, head, err)
		}
	}
	var b agekey.Begin
	large := encrypt(t, recipients(t, pair.Public), make([]byte, agekey.HeadMost), nil)
	for rest := large; len(rest) > 0; rest = rest[min(1000, len(rest)):] {
		_, _ = b.Write(rest[:min(1000, len(rest))])
	}
	if head, err := b.Head(); !errors.Is(err, agekey.ErrNoAge) {
		t.Errorf("more was kept than a header may have: %+v, %v", head, err)
	}
}

// full is a place that nothing can be written to.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space") }

func TestEncryptWithoutSpace(t *testing.T) {
	if _, err := recipients(t, newPair(t).Public).Encrypt(full{}, nil); err == nil || !strings.Contains(err.Error(), "no space") {
		t.Errorf("%v", err)
	}
}

func TestReadHeadRefuses(t *testing.T) {
	file := encrypt(t, recipients(t, newPair(t).Public), []byte("note"), []byte("plain"))
	for name, data := range map[string][]byte{"nothing": nil, "a photo": []byte("\xff\xd8\xff\xe0"), "cut": file[:100], "armor": []byte("-----BEGIN AGE ENCRYPTED FILE-----\n")} {
		if _, err := agekey.ReadHead(data); !errors.Is(err, agekey.ErrNoAge) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestPairFile(t *testing.T) {
	pair := newPair(t)
	lines := strings.Split(string(pair.File), "\n")
	want := []string{"# created: 2026-11-23T09:00:00Z", "# public key: " + pair.Public}
	if diff := cmp.Diff(want, lines[:2]); diff != "" || len(lines) != 4 || !strings.HasPrefix(lines[2], "AGE-SECRET-KEY-1") {
		t.Errorf("%s%d lines", diff, len(lines))
	}
}

func TestReadIdentitiesRefuses(t *testing.T) {
	pair, dir := newPair(t), t.TempDir()
	for name, content := range map[string]string{
		"is encrypted itself": "age-encryption.org/v1\n-> scrypt", "is encrypted  itself": "-----BEGIN AGE ENCRYPTED FILE-----\n", "is no file of secret keys": pair.Public,
		"is no file of  secret keys": "# nothing\n", "has more than 1048576 bytes": strings.Repeat("#", 1<<20+1),
	} {
		file := filepath.Join(dir, "key")
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := agekey.ReadIdentities(file)
		if err == nil || !strings.Contains(err.Error(), strings.ReplaceAll(name, "  ", " ")) || strings.Contains(err.Error(), pair.Public) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := agekey.ReadIdentities(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) || strings.Count(err.Error(), dir) != 1 {
		t.Errorf("no file: %v", err)
	}
	if _, err := agekey.ReadIdentities(dir); err == nil || !strings.Contains(err.Error(), "no regular file") || strings.Count(err.Error(), dir) != 1 {
		t.Errorf("a folder: %v", err)
	}
	for more, good := range map[int]bool{0: true, 1: false} { // the largest file, and one byte more
		file := append(bytes.Clone(pair.File), bytes.Repeat([]byte("\n"), 1<<20+more-len(pair.File))...)
		if _, err := agekey.ParseIdentities(file); (err == nil) != good {
			t.Errorf("1 MiB and %d: %v", more, err)
		}
	}
}

// FuzzParseRecipients: what is taken is written again as the same, and no error repeats a part of the list.
func FuzzParseRecipients(f *testing.F) {
	f.Add(newPair(f).Public + "," + newPair(f).Public)
	f.Add(zero)
	f.Add("age1" + strings.Repeat("q", 58) + ", AGE-SECRET-KEY-1QQQ")
	f.Fuzz(func(t *testing.T, list string) {
		r, err := agekey.ParseRecipients(list)
		if err != nil {
			for item := range strings.SplitSeq(list, ",") {
				if strings.Contains(item, "1") && len(item) > 20 && strings.Contains(err.Error(), item) {
					t.Errorf("the error repeats %q", item)
				}
			}
			return
		}
		again, err := agekey.ParseRecipients(r.String())
		if err != nil || again.String() != r.String() {
			t.Errorf("%v", err)
		}
	})
}

// FuzzReadHead: whatever lies in an archive, looking at it ends well.
func FuzzReadHead(f *testing.F) {
	f.Add(encrypt(f, recipients(f, newPair(f).Public), []byte("note"), []byte("plain")))
	f.Fuzz(func(t *testing.T, data []byte) {
		head, err := agekey.ReadHead(data)
		if err != nil {
			return
		}
		if n, err := head.PlainSize(int64(len(data))); err == nil && (n < 0 || n > int64(len(data))) {
			t.Errorf("%d bytes hold %d", len(data), n)
		}
	})
}

// TestVector opens a file that an earlier version stored: archives live longer than programs. The key in testdata is for this
// test alone, and opens nothing else.
func TestVector(t *testing.T) {
	file, err := os.ReadFile(filepath.Join("testdata", "result.json.age"))
	if err != nil {
		t.Fatal(err)
	}
	key := filepath.Join("testdata", "identity.txt")
	keys, err := agekey.ReadIdentities(key)
	if err != nil {
		t.Fatal(err)
	}
	const want = "{\n  \"version\": 1,\n  \"orderNo\": \"orderNo0001\"\n}\n"
	if plain, err := decrypt(keys, file); err != nil || string(plain) != want {
		t.Errorf("%q, %v", plain, err)
	}
	if got := peertest.Age(t, key, filepath.Join("testdata", "result.json.age")); string(got) != want {
		t.Errorf("age's own command: %q", got)
	}
	head, err := agekey.ReadHead(file)
	if err != nil || string(head.Note) != `{"code":"0","occurredTime":"20180810150152"}` {
		t.Errorf("note %q, %v", head.Note, err)
	}
	if n, err := head.PlainSize(int64(len(file))); err != nil || n != int64(len(want)) {
		t.Errorf("%d plain bytes, %v", n, err)
	}
}
