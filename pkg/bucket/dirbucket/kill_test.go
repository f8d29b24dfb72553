package dirbucket

import (
	"bufio"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/kycvault/kycvault/pkg/bucket"
)

// The test binary starts itself again as a writer that is then killed; these variables make it one.
const (
	writerFolder = "DIRBUCKET_TEST_WRITER"
	writerMode   = "DIRBUCKET_TEST_MODE"
)

func TestMain(m *testing.M) {
	if folder := os.Getenv(writerFolder); folder != "" {
		fmt.Println(runWriter(folder, os.Getenv(writerMode)))
		os.Exit(1) // a writer runs until it is killed
	}
	os.Exit(m.Run())
}

func runWriter(folder, mode string) error {
	b, err := Open(folder)
	if err != nil {
		return err
	}
	if mode == "hang" {
		return b.Create(context.Background(), "orders/A1/video.mp4", hanging())
	}
	for i := 0; ; i++ {
		key := fmt.Sprintf("orders/A%d/photo.jpg", i)
		if err := b.Create(context.Background(), key, wholeContent(key)); err != nil {
			return err
		}
		fmt.Println(key)
	}
}

const wholeSize = 300 << 10

func wholeContent(key string) bucket.Content {
	return text(strings.Repeat(key+"\n", wholeSize/len(key)))
}

// hanging is a content that never ends: half of it is there, then nothing comes.
func hanging() bucket.Content {
	half := strings.NewReader(strings.Repeat("x", wholeSize/2))
	return bucket.Content{Body: hangingBody{half}, Size: wholeSize, SHA256: sha256.Sum256(nil)}
}

type hangingBody struct{ *strings.Reader }

func (h hangingBody) Read(p []byte) (int, error) {
	n, err := h.Reader.Read(p)
	if err == io.EOF {
		fmt.Println("half written")
		time.Sleep(time.Hour)
	}
	return n, err
}

// killedWriter starts a writer, waits until it has said enough lines, kills it and gives all that it said.
func killedWriter(t *testing.T, folder, mode string, enough int) []string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe)
	cmd.Env = append(os.Environ(), writerFolder+"="+folder, writerMode+"="+mode)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var said []string
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if said = append(said, lines.Text()); len(said) == enough {
			_ = cmd.Process.Kill()
		}
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.Exited() {
		t.Fatalf("the writer ended by itself: %v, %q", err, said)
	}
	return said
}

func TestWriterKilledHalfWay(t *testing.T) {
	folder := t.TempDir()
	killedWriter(t, folder, "hang", 1)
	b := open(t, folder)
	if got := keys(t, b, ""); got != nil {
		t.Errorf("a half-written object shows: %q", got)
	}
	left, err := filepath.Glob(filepath.Join(folder, tempFolder, "*"))
	if err != nil || len(left) != 1 {
		t.Fatalf("temporary files %q, error %v: the writer was not killed half-way", left, err)
	}
	create(t, b, "orders/A1/video.mp4", "whole")
	long := time.Now().Add(-2 * tempAge)
	if err := os.Chtimes(left[0], long, long); err != nil {
		t.Fatal(err)
	}
	open(t, folder)
	if left, _ := filepath.Glob(filepath.Join(folder, tempFolder, "*")); len(left) != 0 {
		t.Errorf("not swept: %q", left)
	}
}

func TestWriterKilledAnywhere(t *testing.T) {
	for _, enough := range []int{1, 7, 20} {
		folder := t.TempDir()
		said := killedWriter(t, folder, "loop", enough)
		b := open(t, folder)
		listed := keys(t, b, "orders/")
		if len(listed) < len(said) {
			t.Errorf("%d objects of %d that were acknowledged", len(listed), len(said))
		}
		for _, key := range listed {
			want, _ := io.ReadAll(wholeContent(key).Body)
			got, err := os.ReadFile(filepath.Join(folder, key))
			if err != nil || string(got) != string(want) {
				t.Errorf("%s: %d of %d bytes, error %v", key, len(got), len(want), err)
			}
		}
	}
}
