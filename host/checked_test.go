package host

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/cluster/preflight"
	"github.com/hawser-ha/hawser/contract"
)

// A keeper's check of a node has HAProxy load its configuration when something has changed.
func TestSeldomChecked(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	write := func(name, text string) { require.NoError(t, os.WriteFile(path(name), []byte(text), 0o600)) }
	write("haproxy.cfg", "frontend f\n\tbind :443 ssl crt "+path("certs")+" ca-file "+path("ca.pem")+"\n")
	require.NoError(t, os.Mkdir(path("certs"), 0o700))
	require.NoError(t, os.Mkdir(path("haproxy"), 0o700))
	checked := 0
	var complaint error
	var later time.Duration
	d := &Doctor{host: Host{RunDir: dir, Now: func() time.Time { return time.Now().Add(later) },
		CheckHAProxy: func(context.Context, preflight.HAProxy) error { checked++; return complaint }}}
	h := inventory.HAProxy{Resource: "haproxy", Config: path("haproxy.cfg"), Binary: path("binary")}
	check := func(want int, why string) {
		t.Helper()
		require.Equal(t, complaint, d.checkConfig(t.Context(), h))
		require.Equal(t, want, checked, why)
	}
	check(1, "asked")
	check(2, "asked again")
	d.Seldom()
	check(3, "not known yet")
	check(3, "nothing has changed")
	write("ca.pem", "a")
	check(4, "a file that it names")
	write("certs/site.pem", "a")
	check(5, "a file in a directory that it names")
	write("binary", "")
	check(6, "HAProxy")
	h.ExtraConf = "-dr"
	check(7, "its arguments")
	check(7, "nothing has changed")
	later = 2 * time.Hour
	check(8, "once an hour")
	later = 0
	complaint = errors.New("refused")
	write("haproxy.cfg", "bogus\n")
	check(9, "an edit")
	check(10, "what is refused is checked again")
	require.FileExists(t, contract.FilesOf(dir, "haproxy").Checked())
}
