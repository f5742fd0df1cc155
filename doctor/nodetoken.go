package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/crm"
)

func (n Node) tokenFileCheck() Check {
	return Check{
		Name: "token-file", Short: "a token file that is missing, empty, or open to others", Worst: Error,
		Why:  "the agent refuses it: the address cannot come to this node",
		Mend: "chmod 0600 FILE; chown root:root FILE",
		Run: n.demands(func(_ context.Context, d Declared) ([]Finding, error) {
			var found []Finding
			for _, path := range slices.Sorted(maps.Keys(d.TokenFiles)) {
				_, err := n.ReadToken(path)
				if err == nil {
					continue
				}
				found = append(found, n.found(Error, path, err.Error(),
					fmt.Sprintf("the agent refuses the file: %s cannot work on this node", strings.Join(d.TokenFiles[path], ", ")), tokenFix(path)...))
			}
			return found, nil
		}),
	}
}

// tokenFix is what mends a token file.
func tokenFix(path string) []string {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return []string{"install -m 0600 -o root -g root /dev/stdin " + path + "   # then paste the token, Enter, Ctrl-D"}
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
		fix = []string{"namei -l " + path, "install -m 0600 -o root -g root /dev/stdin " + path + "   # then paste the token, Enter, Ctrl-D"}
	}
	return fix
}

func (n Node) tokenRightsCheck() Check {
	return Check{
		Name: "token-rights", Short: "a token that the provider refuses, or that may not read the address and the droplets (asks the API, reads only)", Worst: Error, Timeout: 20 * time.Second,
		Why:  "an address can be neither moved nor found; that a token may assign shows only when it does: no question tells it",
		Mend: "a token with the scopes reserved_ip:read, reserved_ip:update and droplet:read, then hawser move",
		Run: n.demands(func(ctx context.Context, d Declared) ([]Finding, error) {
			answers := make([]*Finding, len(d.Addresses))
			var wg sync.WaitGroup // an API that is slow is slow for each of them
			for i, a := range d.Addresses {
				wg.Go(func() { answers[i] = n.askRights(ctx, a) })
			}
			wg.Wait()
			var found []Finding
			for _, f := range answers {
				if f != nil {
					found = append(found, *f)
				}
			}
			return found, nil
		}),
	}
}

// askRights asks about one address, nil if there is nothing to ask or to say.
func (n Node) askRights(ctx context.Context, a Address) *Finding {
	if a.Provider != contract.DefaultProvider {
		return nil
	}
	file := or(a.TokenFile, newTokenFile)
	replace := "install -D -m 0600 -o root -g root /dev/stdin " + file + "   # a token with the scopes reserved_ip:read, reserved_ip:update and droplet:read"
	var f Finding
	switch _, err := n.ReadToken(a.TokenFile); {
	case a.TokenFile == "" && a.Token == "" && a.SecretFile == "":
		f = n.found(Error, a.Resource, "it has neither token_file nor token", "the agent has nothing to move the address with", replace,
			fmt.Sprintf("crm_resource --resource %s --set-parameter token_file --parameter-value %s", quote(a.Resource), file))
		return &f
	case a.TokenFile != "" && err != nil:
		return nil // token-file says so
	}
	switch right, err := n.Rights(ctx, a); right {
	case Refused:
		f = n.found(Error, a.Resource, err.Error(), "the address cannot be moved to this node, nor seen from it", replace, "hawser doctor --node-only")
		if a.TokenFile == "" { // what stands in the configuration, the check token-in-cib replaces; Pacemaker keeps the other
			f.Fix = []string{"cibsecret set " + quote(a.Resource) + " " + quote(filepath.Base(a.SecretFile)) + " TOKEN   # with the scopes reserved_ip:read, reserved_ip:update and droplet:read"}
			if a.SecretFile == "" {
				f.Fix = []string{replace, define(a.withTokenFile()) + "   # once the file is on every node: " + a.Resource + " is started again with it"}
			}
		}
	case NotKnown:
		f = n.found(Unknown, a.Resource, "what the token may do could not be found out: "+err.Error(),
			"at a failover the address can be moved only with a token that may", "hawser doctor --node-only")
	case Granted:
		f = n.found(Note, a.Resource, fmt.Sprintf("the token may read %s and the droplets; whether it may assign the address shows only when it does", a.IP),
			"a token that may only read would fail at the first failover", "hawser move "+a.Resource+"   # proves it, and interrupts it for some seconds")
	}
	return &f
}

// newTokenFile is where a token goes that stood in the configuration.
const newTokenFile = "/etc/hawser/token"

// withTokenFile is the resource with a file in place of the token. Both at the same time, or neither, is a configuration with which the agent
// may run nowhere: so it has to be written at once.
func (a Address) withTokenFile() *crm.Primitive {
	p := *a.primitive
	p.Params = without(without(p.Params, "token"), "do_token")
	p.Params.Set("token_file", newTokenFile)
	return &p
}

// TokenInCIB is the check of the configuration for tokens that stand there themselves.
func TokenInCIB(declared func(context.Context) (Declared, error)) Check {
	return Check{
		Name: "token-in-cib", Short: "a token that stands in the cluster's configuration (token, do_token)", Worst: Warning,
		Why:  "every node, every backup and everybody who may read the configuration has it",
		Mend: "hawser configure, with token_file in place of do_token; or cibsecret set",
		Run: func(ctx context.Context) ([]Finding, error) {
			d, err := declared(ctx)
			if err != nil {
				return nil, err
			}
			var found []Finding
			for _, a := range d.Addresses {
				if a.TokenInCIB {
					found = append(found, Finding{Severity: Warning, Subject: a.Resource, What: fmt.Sprintf("the token of %s stands in the cluster's configuration in clear text", a.Resource),
						Why: "every node, every backup of the CIB and everybody in the group haclient has it",
						Fix: []string{
							"install -D -m 0600 -o root -g root /dev/stdin " + newTokenFile + "   # on every node; a new token, since the old one may have been read",
							define(a.withTokenFile()) + "   # once the file is on every node: " + a.Resource + " is started again with it",
						}})
				}
			}
			return found, nil
		},
	}
}
