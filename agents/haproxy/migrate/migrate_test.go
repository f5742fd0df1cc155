package migrate

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func newSwitch(t *testing.T, value string) Switch {
	dir := t.TempDir()
	s := Switch{Path: filepath.Join(dir, "switch"), Note: filepath.Join(dir, "note")}
	require.NoError(t, os.WriteFile(s.Path, []byte(value), 0o600))
	return s
}

func (s Switch) is(t *testing.T) string {
	text, err := os.ReadFile(s.Path)
	require.NoError(t, err)
	return string(text)
}

func TestWhile(t *testing.T) {
	s := newSwitch(t, "0\n")
	s.While(func() { require.Equal(t, "1", s.is(t)) })
	require.Equal(t, "0", s.is(t))
	s.TurnBack()
	require.Equal(t, "0", s.is(t))
}

// What an administrator has switched on stays on.
func TestOnAlready(t *testing.T) {
	s := newSwitch(t, "1\n")
	s.While(func() { require.Equal(t, "1\n", s.is(t)) })
	s.TurnBack()
	require.Equal(t, "1\n", s.is(t))
}

// One that was killed meanwhile has left the switch on, and the note.
func TestKilledMeanwhile(t *testing.T) {
	for name, next := range map[string]func(s Switch){
		"a stop":       func(s Switch) { s.TurnBack() },
		"another turn": func(s Switch) { s.While(func() {}) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSwitch(t, "1")
			require.NoError(t, os.WriteFile(s.Note, []byte("0"), 0o600))
			next(s)
			require.Equal(t, "0", s.is(t))
			require.NoError(t, os.WriteFile(s.Path, []byte("1"), 0o600))
			next(s)
			require.Equal(t, "1", s.is(t), "an administrator's own since")
		})
	}
}

// Somebody else's turn that does not end holds nobody up.
func TestTurnThatDoesNotEnd(t *testing.T) {
	s := newSwitch(t, "0")
	note, err := os.OpenFile(s.Note, os.O_CREATE|os.O_RDWR, 0o600)
	require.NoError(t, err)
	defer func() { _ = note.Close() }()
	require.NoError(t, syscall.Flock(int(note.Fd()), syscall.LOCK_EX))
	began, done := time.Now(), false
	s.While(func() { done = true })
	require.True(t, done)
	require.Less(t, time.Since(began), 10*time.Second)
	require.Equal(t, "0", s.is(t))
}
