package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/hawser-ha/hawser/internal/needs"
	"github.com/hawser-ha/hawser/lab"
)

// bringUp brings a laboratory up. One of that name that a run of the tests left, because it was
// killed, is taken down first; one that another run still uses is an error.
func bringUp(ctx context.Context, o lab.Options) (*lab.Lab, error) {
	if err := claim(o.Name); err != nil {
		return nil, err
	}
	if err := lab.Down(ctx, o.Name); err != nil {
		return nil, err
	}
	return lab.Up(ctx, o)
}

// claim has the laboratory of that name belong to this process until it ends, however it ends. The
// descriptor is never closed: that would give a lock of fcntl(2) away. The one process may claim a
// name again and again.
func claim(name string) error {
	path := "/run/hawser-lab-" + name + ".run"
	fd, err := unix.Open(path, unix.O_CREAT|unix.O_RDWR|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return fmt.Errorf("claim the laboratory %q: open %s: %w", name, path, err)
	}
	whole := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart}
	err = unix.FcntlFlock(uintptr(fd), unix.F_SETLK, &whole)
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		holder := unix.Flock_t{Type: unix.F_WRLCK, Whence: io.SeekStart}
		_ = unix.FcntlFlock(uintptr(fd), unix.F_GETLK, &holder) // if it fails, the number is 0
		return fmt.Errorf("the laboratory %q belongs to another run of the tests, process %d: let it end, "+
			"or give this one a name with HAWSER_LAB=NAME", name, holder.Pid)
	}
	if err != nil {
		return fmt.Errorf("claim the laboratory %q: lock %s: %w", name, path, err)
	}
	return nil
}

// TestWhatAKilledRunLeft brings a laboratory up where there is one already that nobody claims.
func TestWhatAKilledRunLeft(t *testing.T) {
	needs.Root(t)
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	o := lab.Options{Name: labName() + "-left", Nodes: 1, Apps: 1}
	require.NoError(t, claim(o.Name))
	require.NoError(t, lab.Down(ctx, o.Name))
	_, err := lab.Up(ctx, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, lab.Down(context.Background(), o.Name)) })
	_, err = lab.Up(ctx, o)
	require.ErrorIs(t, err, lab.ErrExists)
	l, err := bringUp(ctx, o)
	require.NoError(t, err)
	require.True(t, l.Running("lb-1"))
}
