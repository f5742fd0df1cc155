package copies

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	client "github.com/hawser-ha/hawser/haproxy"
)

func TestCopies(t *testing.T) {
	dir := t.TempDir()
	c := Copies{Dir: filepath.Join(dir, "config"), Paths: []string{"/etc/haproxy/haproxy.cfg", "/etc/haproxy/conf.d"}}
	first := []client.Source{{File: "/etc/haproxy/haproxy.cfg", Text: "global\n"},
		{File: "/etc/haproxy/conf.d/site.cfg", Text: "frontend f\n"}, {File: "check_url", Text: "http://x/"}}
	second := []client.Source{{File: "/etc/haproxy/haproxy.cfg", Text: "global\n maxconn 5\n"}}
	same := func(sources []client.Source) [2]bool {
		same, there := c.Same(sources)
		return [2]bool{same, there}
	}
	require.Equal(t, [2]bool{false, false}, same(first))
	require.NoError(t, c.Keep(first))
	require.Equal(t, [2]bool{true, true}, same(first))
	text, err := os.ReadFile(c.Of(1, "/etc/haproxy/conf.d") + "/site.cfg")
	require.NoError(t, err)
	require.Equal(t, "frontend f\n", string(text))

	fresh, err := c.Prepare(first, "a")
	require.NoError(t, err)
	require.Equal(t, Stay, fresh)
	fresh, err = c.Prepare(second, "b")
	require.NoError(t, err)
	require.Equal(t, New, fresh)
	require.Equal(t, [2]bool{true, true}, same(first), "until HAProxy has loaded them")
	require.NoError(t, c.Undo(fresh, "b"))
	require.Equal(t, [2]bool{true, true}, same(first), "there is nothing to undo yet")
	for range 2 {
		require.NoError(t, c.Commit(fresh, "b"))
		require.Equal(t, [2]bool{true, true}, same(second), "twice is once")
		require.DirExists(t, c.Of(1, "/etc/haproxy/conf.d"), "an empty directory is on the command line, too")
	}
	for range 2 {
		require.NoError(t, c.Undo(fresh, "b"))
		require.Equal(t, [2]bool{true, true}, same(first), "twice is once")
	}
	require.NoError(t, os.RemoveAll(c.Dir))
	require.NoError(t, c.Commit(fresh, "b"))
	require.NoError(t, c.Undo(fresh, "b"))
	require.Equal(t, [2]bool{false, false}, same(first), "there were none")
	require.NoError(t, os.RemoveAll(c.Next()))
	require.ErrorContains(t, c.Commit(fresh, "b"), "is gone")

	require.NoError(t, c.Keep(first))
	fresh, err = c.Prepare(second, "")
	require.NoError(t, err)
	require.NoError(t, c.Commit(fresh, ""))
	require.NoError(t, c.Undo(fresh, ""))
	require.Equal(t, [2]bool{true, true}, same(first), "as an earlier version has noted it")

	relative := []client.Source{{File: "/etc/haproxy/haproxy.cfg", Text: "global\n default-path config\n"}}
	require.NoError(t, c.Keep(relative))
	require.Equal(t, [2]bool{true, true}, same(relative))
	text, err = c.Text(0, "/etc/haproxy/haproxy.cfg")
	require.NoError(t, err)
	require.Equal(t, relative[0].Text, string(text))
	text, err = os.ReadFile(c.Of(0, "/etc/haproxy/haproxy.cfg"))
	require.NoError(t, err)
	require.Contains(t, string(text), "default-path origin")
	require.NoError(t, os.RemoveAll(filepath.Join(c.Dir, "as-written")), "an earlier version kept none")
	require.Equal(t, [2]bool{true, true}, same(relative))
	require.NoError(t, c.Keep(second))
	text, err = c.Text(0, "/etc/haproxy/haproxy.cfg")
	require.NoError(t, err)
	require.Equal(t, second[0].Text, string(text))

	elsewhere := []client.Source{{File: "/etc/haproxy/haproxy.cfg", Text: "global\n default-path \"$X\"\n"}}
	fresh, err = c.Prepare(elsewhere, "c")
	require.NoError(t, err)
	require.Equal(t, None, fresh, "it may mean something else in another place")
	require.Equal(t, [2]bool{false, true}, same(elsewhere))
	require.NoError(t, c.Commit(fresh, "c"))
	require.NoDirExists(t, c.Dir)
}

func TestArgs(t *testing.T) {
	c := Copies{Dir: "/run/x/config", Paths: []string{"/etc/a.cfg", "/etc/conf.d", "/etc/b.cfg"}}
	args := []string{"-W", "-f", "/run/x/own.cfg", "-f", "/etc/a.cfg", "-p", "/run/x/pid", "-f", "/etc/conf.d", "--",
		"/etc/b.cfg", "/run/x/last.cfg"}
	got := c.Args(args, "/run/x/own.cfg", "/run/x/last.cfg")
	require.Equal(t, []string{"-W", "-f", "/run/x/own.cfg", "-f", "/run/x/config/0/a.cfg", "-p", "/run/x/pid", "-f",
		"/run/x/config/1/conf.d", "--", "/run/x/config/2/b.cfg", "/run/x/last.cfg"}, got)
	require.True(t, c.Run(got))
	require.False(t, c.Run(args))
}
