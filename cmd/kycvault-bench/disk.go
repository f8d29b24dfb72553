package main

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// filesAnOrder are the sizes of what an order that goes well leaves or passes through: marker, result, photo, video,
// manifest, journal entry.
func filesAnOrder() []int { return []int{90, 240, 66_293, 51_253, 1_100, 0} }

// syncedFiles writes as many files as the orders need, each synced with its folder, from as many writers as there are
// callers: what the disk alone takes.
func syncedFiles(folder string, orders int) (time.Duration, error) {
	if err := os.Mkdir(folder, 0o700); err != nil {
		return 0, err
	}
	began := time.Now()
	var wg sync.WaitGroup
	errs := make(chan error, callers)
	for c := range callers {
		wg.Go(func() {
			for i := c; i < orders; i += callers {
				if err := syncedOrder(filepath.Join(folder, fmt.Sprint(i))); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	return time.Since(began), <-errs
}

func syncedOrder(folder string) error {
	if err := os.Mkdir(folder, 0o700); err != nil {
		return err
	}
	for i, size := range filesAnOrder() {
		if err := syncedFile(filepath.Join(folder, fmt.Sprint(i)), make([]byte, size)); err != nil {
			return err
		}
		if err := syncFolder(folder); err != nil {
			return err
		}
	}
	return nil
}

func syncedFile(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	if _, err = f.Write(data); err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

func syncFolder(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	return f.Sync()
}
