package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/doctor"
)

func (n Node) tokenFileCheck() doctor.Check {
	return doctor.Check{
		Name: "token-file", Short: "a token file that is missing, empty, or open to others",
		Worst:  doctor.Error,
		Why:    "the agent refuses it: the address cannot come to this node",
		Remedy: "chmod 0600 FILE; chown root:root FILE",
		Run: n.demands(func(_ context.Context, d inventory.Declared) ([]doctor.Finding, error) {
			var found []doctor.Finding
			for _, path := range slices.Sorted(maps.Keys(d.TokenFiles)) {
				_, err := n.ReadToken(path)
				if err == nil {
					continue
				}
				found = append(found, n.found(doctor.Error, path, err.Error(),
					fmt.Sprintf("the agent refuses the file: %s cannot work on this node",
						strings.Join(d.TokenFiles[path], ", ")), tokenFix(path)...))
			}
			return found, nil
		}),
	}
}

// tokenFix returns the commands that fix a token file.
func tokenFix(path string) []string {
	info, err := os.Stat(path)
	path = doctor.Quote(path)
	if errors.Is(err, fs.ErrNotExist) {
		return []string{
			"install -m 0600 -o root -g root /dev/stdin " + path +
				"   # then paste the token, Enter, Ctrl-D",
		}
	}
	if err != nil {
		return []string{"ls -l " + path}
	}
	var fix []string
	if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid != 0 {
		fix = append(fix, "chown root:root "+path)
	}
	if info.Mode().Perm()&0o177 != 0 {
		fix = append(fix, "chmod 0600 "+path)
	}
	if len(fix) == 0 {
		fix = []string{
			"namei -l " + path,
			"install -m 0600 -o root -g root /dev/stdin " + path +
				"   # then paste the token, Enter, Ctrl-D",
		}
	}
	return fix
}

func (n Node) tokenRightsCheck() doctor.Check {
	return doctor.Check{
		Name: "token-rights",
		Short: "a token that the provider refuses, or that may not read " +
			"the address and the droplets (asks the API, reads only)",
		Worst: doctor.Error, Timeout: 20 * time.Second,
		Why: "an address can be neither moved nor found; whether a token may assign shows only " +
			"when it tries",
		Remedy: "a token with the scopes reserved_ip:read, reserved_ip:update and droplet:read, " +
			"then hawser move",
		Run: n.demands(func(ctx context.Context, d inventory.Declared) ([]doctor.Finding, error) {
			return doctor.AskAll(d.Addresses, func(a inventory.Address) *doctor.Finding {
				return n.askRights(ctx, a)
			}), nil
		}),
	}
}

// askRights asks about one address. It returns nil if there is nothing to ask or to report.
func (n Node) askRights(ctx context.Context, a inventory.Address) *doctor.Finding {
	if a.Provider != contract.DigitalOcean {
		return nil
	}
	file := doctor.Quote(cmp.Or(a.TokenFile, inventory.TokenFile))
	replace := "install -D -m 0600 -o root -g root /dev/stdin " + file +
		"   # a token with the scopes reserved_ip:read, reserved_ip:update and droplet:read"
	var f doctor.Finding
	switch _, err := n.ReadToken(a.TokenFile); {
	case a.TokenFile == "" && a.Token == "" && a.SecretFile == "":
		f = n.found(doctor.Error, a.Resource, "it has neither token_file nor token",
			"the agent has nothing to move the address with", replace,
			fmt.Sprintf(
				"crm_resource --resource %s --set-parameter token_file --parameter-value %s",
				doctor.Quote(a.Resource), file))
		return &f
	case a.TokenFile != "" && err != nil:
		return nil // token-file reports it
	}
	switch right, err := n.Rights(ctx, a); right {
	case Refused:
		f = n.found(doctor.Error, a.Resource, err.Error(),
			"the address cannot be moved to this node, nor found from it", replace,
			"hawser doctor --node-only")
		if a.TokenFile == "" {
			// The check token-in-cib replaces a token that is in the configuration; the other kind
			// is kept by Pacemaker.
			f.Fix, f.Todo = nil, []string{
				"give `cibsecret set " + doctor.Quote(a.Resource) + " " +
					doctor.Quote(filepath.Base(a.SecretFile)) + "` a token with the scopes " +
					"reserved_ip:read, reserved_ip:update and droplet:read",
			}
			if a.SecretFile == "" {
				f.Todo, f.Fix = nil, []string{
					replace,
					doctor.Define(a.WithTokenFile()) + "   # once the file is on every node: " +
						a.Resource + " is started again with it",
				}
			}
		}
	case NotKnown:
		f = n.found(doctor.Unknown, a.Resource,
			"what the token may do could not be found out: "+err.Error(),
			"at a failover the address can be moved only with a token that may",
			"hawser doctor --node-only")
	case Granted:
		f = n.found(doctor.Note, a.Resource,
			fmt.Sprintf(
				"the token may read %s and the droplets; the API cannot say whether it may assign "+
					"the address, only a move shows that",
				a.IP),
			"a token that may only read would fail at the first failover")
		f.Todo = []string{
			"`hawser move " + a.Resource + "` tests it, and interrupts it for some seconds",
		}
	}
	return &f
}
