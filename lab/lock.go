package lab

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// locked runs f while no other process changes the lab: one lock file beside the state directory,
// held by flock(2), so that it is released when its holder dies.
func (l *Lab) locked(f func() error) error {
	unlock, err := lock(l.dir)
	if err != nil {
		return err
	}
	defer unlock()
	return f()
}

// lockWait is how long an operation waits for another one to end.
const lockWait = 3 * time.Minute

func lock(dir string) (unlock func(), err error) {
	path := dir + ".lock"
	for deadline := time.Now().Add(lockWait); ; time.Sleep(20 * time.Millisecond) {
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
		if err != nil {
			return nil, fmt.Errorf("lab: lock %s: %w", path, err)
		}
		err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil && sameFile(f, path) {
			_ = f.Truncate(0)                          // the number is for people only
			_, _ = fmt.Fprintf(f, "%d\n", os.Getpid()) // as above
			return func() { _ = f.Close() }, nil       // closing unlocks
		}
		if err != nil && !errors.Is(err, unix.EWOULDBLOCK) {
			_ = f.Close()
			return nil, fmt.Errorf("lab: lock %s: %w", path, err)
		}
		_ = f.Close()
		if time.Now().After(deadline) {
			holder, _ := os.ReadFile(path) // if unreadable, the number is left out
			return nil, fmt.Errorf(
				"lab: %s has been changed by process %s for more than %s: let it end, or end it",
				dir, strings.TrimSpace(string(holder)), lockWait)
		}
	}
}

// sameFile says whether the file is still the one at the path: down removes it.
func sameFile(f *os.File, path string) bool {
	a, errA := f.Stat()
	b, errB := os.Stat(path)
	return errA == nil && errB == nil && os.SameFile(a, b)
}

func parseCuts(b []byte) ([][2]string, error) {
	var cuts [][2]string
	if err := json.Unmarshal(b, &cuts); err != nil {
		return nil, fmt.Errorf("lab: the list of cuts: %w", err)
	}
	return cuts, nil
}
