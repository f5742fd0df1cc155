package protect

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// The guard is a second process that does nothing unless the first is killed or stopped while it
// holds connections: then it releases them at once. It has the same sockets, and what belongs to
// them lives as long as one of the two does. If both are killed, the kernel itself removes the
// rules and the queue; what was held then is lost and comes again with the client's next SYN.

// guarded is what the guard has to know about a holder.
type guarded struct {
	kind    string
	sockets []*socket
	number  uint32
}

// Bytes on the socket between the two.
const (
	guardReady = 'r'
	guardLeave = 'q'
)

// The descriptors of the guard's files: exec.Cmd numbers ExtraFiles from 3.
const (
	guardTalk = 3 + iota
	guardLock
	guardFirstSocket
)

// Guard returns the guard's program: hawser runs itself with these arguments.
func Guard(args []string) error {
	if len(args) != 3 {
		return errors.New("the guard is started by hawser protect")
	}
	number, err := strconv.ParseUint(args[1], 10, 32)
	if err != nil {
		return err
	}
	patience, err := time.ParseDuration(args[2])
	if err != nil {
		return err
	}
	tables, release := inheritedSocket(guardFirstSocket), inheritedSocket(guardFirstSocket+1)
	var h holderOf
	switch args[0] {
	case "nfqueue":
		h = &queue{rules: &rules{socket: tables}, socket: release, number: uint16(number)}
	case "plug":
		h = &plug{rules: &rules{socket: tables}, links: release}
	default:
		return fmt.Errorf("there is no holder called %q to guard", args[0])
	}
	// Not "exe", which is what /proc/self/exe would be called; and not hawser, which somebody may
	// kill by name.
	_ = os.WriteFile("/proc/self/comm", []byte("hawser-guard"), 0)
	if _, err := unix.Write(guardTalk, []byte{guardReady}); err != nil {
		return err
	}
	deadline := time.Now().Add(patience)
	for {
		left := time.Until(deadline)
		if left <= 0 {
			// The first process should have released by now. It may be stopped (SIGSTOP); it may
			// also be late, and waiting for the kernel's answers this very moment.
			release.deaf = true
			_ = h.release()
			release.deaf = false
			left, deadline = time.Hour, time.Now().Add(time.Hour)
		}
		fds := []unix.PollFd{{Fd: guardTalk, Events: unix.POLLIN}}
		n, err := unix.Poll(fds, int(left.Milliseconds())+1)
		if n <= 0 || err != nil {
			continue
		}
		word := make([]byte, 1)
		if n, err := unix.Read(guardTalk, word); err == nil && n == 1 && word[0] == guardLeave {
			return nil
		}
		return errors.Join(h.release(), h.remove())
	}
}
