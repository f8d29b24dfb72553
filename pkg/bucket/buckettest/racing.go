package buckettest

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/kycvault/kycvault/pkg/bucket"
)

// writers race to create one key.
const writers = 16

func raceToCreate(s suite) {
	for round := range 5 {
		key := fmt.Sprintf("orders/R%d/manifest.json", round)
		winners := make(chan string, writers)
		var wg sync.WaitGroup
		start := make(chan struct{})
		for i := range writers {
			wg.Go(func() {
				content := fmt.Sprintf("writer %d ", i) + large(64<<10)
				<-start
				err := s.bucket.Create(s.Context(), key, text(content))
				switch {
				case err == nil:
					winners <- content
				case !errors.Is(err, bucket.ErrExists):
					s.Errorf("a writer that lost got %v", err)
				}
			})
		}
		close(start)
		wg.Wait()
		if len(winners) != 1 {
			s.Fatalf("%d winners", len(winners))
		}
		s.holds(key, <-winners)
	}
}

// readWhileWriting checks that a reader sees nothing or a whole object, of one writer alone.
func readWhileWriting(s suite) {
	const key, size = "system/backoff", 256 << 10
	done := make(chan struct{})
	var readers, writers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				got, err := get(s.Context(), s.bucket, key)
				if errors.Is(err, bucket.ErrNotFound) {
					continue
				}
				if err != nil || len(got) != size || strings.Trim(got, got[:1]) != "" {
					s.Errorf("read %d bytes of %d, error %v", len(got), size, err)
					return
				}
			}
		})
	}
	for _, letter := range []string{"a", "b", "c"} {
		writers.Go(func() {
			for range 10 {
				if err := s.bucket.Put(s.Context(), key, text(strings.Repeat(letter, size))); err != nil {
					s.Errorf("Put: %v", err)
				}
			}
		})
	}
	writers.Wait()
	close(done)
	readers.Wait()
}
