package procfs

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Stat is what /proc/PID/stat says about a process.
type Stat struct {
	State           byte // R, S, D, Z, T, t …
	Parent, Session int
	// Start is when the process started, in clock ticks since boot. Together with its id it
	// identifies a process for as long as the machine runs; the id alone is reused.
	Start uint64
	// System is the time that it has spent in the kernel.
	System time.Duration
	// Policy is how the kernel schedules the process (sched(7)).
	Policy int
}

// Stat reads it. The error is ErrGone if there is no such process.
func (f FS) Stat(pid int) (Stat, error) {
	text, err := os.ReadFile(f.path(pid, "stat"))
	if gone(err) {
		return Stat{}, ErrGone
	}
	if err != nil {
		return Stat{}, err
	}
	s, err := parseStat(text)
	if err != nil {
		return Stat{}, fmt.Errorf("%s: %w", f.path(pid, "stat"), err)
	}
	return s, nil
}

// parseStat reads the fields behind the name of the process, which may itself hold spaces and
// parentheses.
func parseStat(text []byte) (Stat, error) {
	end := bytes.LastIndexByte(text, ')')
	fields := strings.Fields(string(text[end+1:]))
	// fields 3, 4, 6, 15, 22 and 41
	const state, parent, session, system, start, policy = 0, 1, 3, 12, 19, 38
	if end < 0 || len(fields) <= policy || len(fields[state]) != 1 {
		return Stat{}, fmt.Errorf("too few fields in %q", text)
	}
	s := Stat{State: fields[state][0]}
	var errs [5]error
	s.Parent, errs[0] = strconv.Atoi(fields[parent])
	s.Session, errs[1] = strconv.Atoi(fields[session])
	s.Start, errs[2] = strconv.ParseUint(fields[start], 10, 64)
	s.Policy, errs[3] = strconv.Atoi(fields[policy])
	spent, err := strconv.ParseInt(fields[system], 10, 64)
	s.System, errs[4] = time.Duration(spent)*(time.Second/ticks), err
	return s, errors.Join(errs[:]...)
}

// Dead reports whether the process has ended and only waits to be reaped by its parent.
func (s Stat) Dead() bool { return s.State == 'Z' || s.State == 'X' || s.State == 'x' }

// Stopped reports whether the process was sent SIGSTOP. One that a debugger holds is not stopped in
// this sense: strace holds processes for moments all the time.
func (s Stat) Stopped() bool { return s.State == 'T' }

// ticks is how many clock ticks of /proc there are in a second (USER_HZ in the kernel's headers of
// all machines that hawser is built for).
const ticks = 100

// Began returns when a process with this Stat.Start was started, by the clock as it is set now.
func Began(start uint64) (time.Time, error) {
	var since unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &since); err != nil {
		return time.Time{}, fmt.Errorf("cannot read the time since boot: %w", err)
	}
	up := time.Duration(since.Nano())
	return time.Now().Add(time.Duration(start)*(time.Second/ticks) - up), nil
}
