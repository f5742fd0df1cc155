package nic

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

func TestQuestion(t *testing.T) {
	flags, err := flagsOf("lo")
	require.NoError(t, err)
	require.NotZero(t, flags&unix.IFF_LOOPBACK)
	for _, name := range []string{"no-such-nic", "x", "", "a-name-that-is-much-too-long"} {
		_, err := flagsOf(name)
		require.Error(t, err, name)
	}
	_, err = flagsOf("no-such-nic")
	require.ErrorIs(t, err, unix.ENODEV)
}

func FuzzFlagsIn(f *testing.F) {
	f.Add(question("lo"))
	f.Add([]byte{})
	f.Fuzz(func(_ *testing.T, answer []byte) { _, _ = flagsIn(answer) })
}
