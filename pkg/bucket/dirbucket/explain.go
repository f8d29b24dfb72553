package dirbucket

import (
	"errors"
	"fmt"
	"syscall"
)

var (
	errFolder  = errors.New("there is a folder of that name")
	errMoved   = errors.New("the folder was removed, moved away or mounted over while it was in use: put it back, or start again on what is there now")
	errStrange = errors.New("neither a file nor a folder (a symbolic link?): move it away")
)

// explain adds to an error of the operating system what a person can do about it.
func explain(err error) error {
	for _, h := range hints() {
		if errors.Is(err, h.cause) {
			return fmt.Errorf("%w (%s)", err, h.todo)
		}
	}
	return err
}

type hint struct {
	cause error
	todo  string
}

func hints() []hint {
	const access = "the folder and all in it must belong to the user that kycvault runs as"
	return []hint{
		{syscall.ENOSPC, "the disk is full: make room, nothing half-written was kept"},
		{syscall.EDQUOT, "the user's disk quota is used up: make room, nothing half-written was kept"},
		{syscall.EROFS, "the file system is mounted read-only: an archive must be writable"},
		{syscall.EACCES, access},
		{syscall.EPERM, access + ", and the file system must allow hard links"},
		{syscall.ENOTSUP, "the file system must allow hard links"},
		{syscall.EMFILE, "too many files are open: raise the limit, see ulimit -n"},
	}
}
