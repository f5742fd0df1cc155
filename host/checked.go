package host

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"os"
	"strings"
	"time"

	agent "github.com/hawser-ha/hawser/agents/haproxy"
	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/cluster/preflight"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/internal/atomicfile"
	"github.com/hawser-ha/hawser/param"
)

// HAProxy loads the whole configuration to check it, with all its certificates and maps, and runs its
// Lua. The keeper has a node checked every few minutes: that is too often for what has not changed.

// checkedFor is how long a configuration that HAProxy has accepted is not checked again, unless a
// file has changed: names may no longer be resolved, certificates end.
const checkedFor = time.Hour

// Seldom makes the doctor have HAProxy check a configuration only if something has changed since
// HAProxy accepted it, or once an hour.
func (d *Doctor) Seldom() { d.seldom = true }

// checkConfig has HAProxy check its configuration as the agent would run it.
func (d *Doctor) checkConfig(ctx context.Context, h inventory.HAProxy) error {
	env := agent.Environment(d.host.RunDir, h.Resource)
	check := func() error { return d.host.CheckHAProxy(ctx, preflight.FromCluster(h, env, d.host.Node)) }
	if !d.seldom {
		return check()
	}
	note := contract.FilesOf(d.host.RunDir, h.Resource).Checked()
	key := keyOf(h, env)
	if info, err := os.Stat(note); err == nil && key != "" {
		age := d.host.Now().Sub(info.ModTime())
		text, err := os.ReadFile(note)
		if err == nil && string(text) == key && age >= 0 && age < checkedFor {
			return nil
		}
	}
	if err := check(); err != nil {
		return err
	}
	// The directory is an agent's: where there is none, nothing runs here, and nothing is noted.
	_ = atomicfile.Write(note, []byte(key), 0o600)
	return nil
}

// keyOf identifies what a check reads: the program, its arguments and environment, the files, and
// those that they name. It is "" if the files cannot be read.
func keyOf(h inventory.HAProxy, env []string) string {
	sources, err := h.Sources()
	if err != nil {
		return ""
	}
	sum := sha256.New()
	fmt.Fprintf(sum, "%q %q %q\n", h.ExtraConf, env, param.FormatSites(h.Sites))
	addFile(sum, cmp.Or(h.Binary, contract.DefaultBinpath))
	separates := func(r rune) bool { return r == ',' || r == '@' }
	for _, source := range sources {
		fmt.Fprintf(sum, "%q %q\n", source.File, source.Text)
		for _, words := range source.Lines(func(string) string { return "" }) {
			for _, word := range words {
				// also of crt@/etc/ssl/x.pem, and of lists with commas
				for part := range strings.FieldsFuncSeq(word, separates) {
					if strings.HasPrefix(part, "/") {
						addFile(sum, part)
					}
				}
			}
		}
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// addFile adds a file's or directory's name and when it was changed.
func addFile(sum hash.Hash, path string) {
	info, err := os.Stat(path)
	if err != nil {
		fmt.Fprintf(sum, "%q is not there\n", path)
		return
	}
	fmt.Fprintf(sum, "%q %d %d\n", path, info.Size(), info.ModTime().UnixNano())
	if !info.IsDir() || path == "/" {
		return
	}
	const most = 10_000 // certificates
	entries, err := os.ReadDir(path)
	if err != nil || len(entries) > most {
		return
	}
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil {
			fmt.Fprintf(sum, "%q %d %d\n", info.Name(), info.Size(), info.ModTime().UnixNano())
		}
	}
}
