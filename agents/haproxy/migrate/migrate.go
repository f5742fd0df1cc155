// Package migrate turns on, for a moment, that the kernel gives connections that wait on a socket
// which is closed to others on the same address (net.ipv4.tcp_migrate_req, Linux 5.14).
//
// The switch is the machine's, and several keepers may want it. So they take turns, and one that is
// killed meanwhile leaves a note by which the next one, or a stop, turns it off again.
//
// It imports nothing of hawser. There is only this file.
package migrate

import (
	"errors"
	"os"
	"strings"
	"syscall"
	"time"
)

// Switch is the kernel's, with the note about it.
type Switch struct {
	// Path is the kernel's parameter.
	Path string
	// Note is a file in a directory of root's.
	Note string
}

// Default returns the switch of this machine.
func Default(note string) Switch {
	return Switch{Path: "/proc/sys/net/ipv4/tcp_migrate_req", Note: note}
}

const (
	// turn is how long to wait for somebody else's turn, which takes far less.
	turn = 500 * time.Millisecond
	// again is the pause between two looks.
	again = 5 * time.Millisecond
)

// While has the switch on while the function runs. It always runs: without the switch if that cannot
// be noted.
func (s Switch) While(do func()) {
	note, err := s.open(os.O_CREATE)
	if err != nil {
		do()
		return
	}
	defer func() { _ = note.Close() }()
	s.turnBack(note)
	before, err := os.ReadFile(s.Path)
	if err == nil && strings.TrimSpace(string(before)) == "0" {
		if _, err := note.WriteAt([]byte("0"), 0); err == nil {
			defer s.turnBack(note)
			_ = os.WriteFile(s.Path, []byte("1"), 0)
		}
	}
	do()
}

// TurnBack turns the switch off if a process that was killed had turned it on.
func (s Switch) TurnBack() {
	if note, err := s.open(0); err == nil {
		s.turnBack(note)
		_ = note.Close()
	}
}

// open opens the note and locks it. It has "0" in it while the switch is to be turned off.
func (s Switch) open(flag int) (*os.File, error) {
	note, err := os.OpenFile(s.Note, flag|os.O_RDWR|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	for until := time.Now().Add(turn); ; time.Sleep(again) {
		err := syscall.Flock(int(note.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return note, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) ||
			time.Now().After(until) {
			_ = note.Close()
			return nil, err
		}
	}
}

func (s Switch) turnBack(note *os.File) {
	text := make([]byte, 1)
	if n, _ := note.ReadAt(text, 0); n == 1 && text[0] == '0' &&
		os.WriteFile(s.Path, text, 0) == nil {
		_ = note.Truncate(0)
	}
}
