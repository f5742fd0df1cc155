package preflight

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"

	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/haproxy"
	"github.com/hawser-ha/hawser/internal/nic"
	"github.com/hawser-ha/hawser/internal/outcome"
	"github.com/hawser-ha/hawser/internal/users"
	"github.com/hawser-ha/hawser/param"
)

// checkChecks checks that what the checks name is there: backends, programs, users, files,
// interfaces.
func (n Node) checkChecks(ctx context.Context, faults *config.Faults, h *config.HAProxy) {
	for _, c := range h.AllChecks() {
		switch {
		case c.Backend != "" && c.Backend != param.EveryBackend:
			checkBackend(faults, h, c)
		case len(c.Exec) > 0:
			n.checkProgram(ctx, faults, c)
		case c.Interface != "":
			var none *nic.NoneError
			if err := nic.Works(c.Interface); errors.As(err, &none) {
				faults.Add(c.InterfaceAt, "the check %s: %v; it must be there on every node", c.Name, err)
			}
		case c.CAFile != "":
			switch info, err := os.Stat(c.CAFile); {
			case err != nil:
				faults.Add(c.CAFileAt, "the check %s: %s cannot be read on this node: %v%s", c.Name,
					c.CAFile, outcome.Cause(err), n.askRoot(err))
			case !info.Mode().IsRegular():
				faults.Add(c.CAFileAt, "the check %s: %s is not a file: expected authorities in PEM form",
					c.Name, c.CAFile)
			}
		}
	}
}

func checkBackend(faults *config.Faults, h *config.HAProxy, c config.Check) {
	file := h.Config
	if file == "" {
		file = contract.DefaultConffile
	}
	extra, _ := param.SplitWords(h.Extra)
	sources, err := haproxy.ReadSources(contract.ConfigFiles(file, extra))
	if err != nil {
		return // which the check of HAProxy's configuration has reported
	}
	known := haproxy.Backends(sources)
	if slices.Contains(known, c.Backend) || slices.ContainsFunc(known, func(name string) bool {
		return strings.Contains(name, "$") // a name that the environment completes
	}) {
		return
	}
	have := "none has servers"
	if len(known) > 0 {
		have = "those with servers are " + strings.Join(known, ", ")
	}
	faults.Add(c.BackendAt, "the check %s: %s has no backend %s with servers: %s", c.Name, file,
		c.Backend, have)
}

func (n Node) checkProgram(ctx context.Context, faults *config.Faults, c config.Check) {
	info, err := os.Stat(c.Exec[0])
	switch {
	case err != nil:
		faults.Add(c.ExecAt, "the check %s: %s is not on this node: %v%s; it must be there on every "+
			"node", c.Name, c.Exec[0], outcome.Cause(err), n.askRoot(err))
	case !info.Mode().IsRegular() || info.Mode()&0o111 == 0:
		faults.Add(c.ExecAt, "the check %s: %s is not a program that can be run: chmod +x it", c.Name,
			c.Exec[0])
	}
	var service users.Service
	if _, err := service.User(ctx, c.User); errors.Is(err, users.ErrUnknown) {
		faults.Add(c.UserAt, "the check %s: this node has no user %s: it must be there on every node",
			c.Name, c.User)
	}
}
