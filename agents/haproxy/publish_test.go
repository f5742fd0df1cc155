package haproxy

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/ocf"
)

// TestUniqueClone: attributes have the resource's id, by which they are looked for, and not the
// name of an instance.
func TestUniqueClone(t *testing.T) {
	w := clustered(t)
	w.r.Instance = "test:0"
	w.start()
	w.want(ocf.Success, w.r.Monitor(0))
	require.Contains(t, w.read("told"), "-n hawser-test -U up=1,down=0,draining=0\n")
	require.Contains(t, w.read("told"), "-n hawser-test-config -U serves=")

	t.Run("what an older agent published is published again", func(t *testing.T) {
		f := w.instance()
		s, ok := f.Load()
		require.True(t, ok)
		s.ByResource = false
		require.NoError(t, f.Save(s))
		w.write("told", "")
		w.want(ocf.Success, w.r.Monitor(0))
		require.Contains(t, w.read("told"), "-n hawser-test:0 -D\n")
		require.Contains(t, w.read("told"), "-n hawser-test:0-config -D\n")
		require.Contains(t, w.read("told"), "-n hawser-test -U up=1,down=0,draining=0\n")
		require.Contains(t, w.read("told"), "-n hawser-test-config -U serves=")
		w.write("told", "")
		w.want(ocf.Success, w.r.Monitor(0))
		require.Empty(t, w.read("told"), "once")
	})
	w.want(ocf.Success, w.r.Stop())
	require.Contains(t, w.read("told"), "-n hawser-test -D\n")
	require.NotContains(t, w.read("told"), "test:0")
}
