// Package preflight checks what hawser.yaml refers to on this node before anything is written:
// tokens, whether the cloud knows the addresses, HAProxy's configuration, and whether systemd runs a
// HAProxy of its own. Every node of the cluster needs the same things; a node that lacks one says so
// itself when Pacemaker starts something there.
//
// It imports inventory, reach, config, haproxy and leaves of internal. Open this file first.
package preflight

import (
	"context"
	"errors"
	"io/fs"

	"github.com/hawser-ha/hawser/cluster/reach"
	"github.com/hawser-ha/hawser/config"
	"github.com/hawser-ha/hawser/internal/outcome"
	"github.com/hawser-ha/hawser/internal/systemd"
	"github.com/hawser-ha/hawser/internal/tokenfile"
)

// Node describes this machine for the checks. host fills it in.
type Node struct {
	Remote bool   // the configuration is another machine's: the files are not here
	Live   bool   // the configuration is that of a running cluster on this machine
	Name   string // in the cluster
	Root   bool   // hawser runs as root
	// HAProxy has this node's HAProxy check a configuration: CheckHAProxy.
	HAProxy func(ctx context.Context, h HAProxy) error
	// Unit asks systemd about one of its units; nil asks nothing.
	Unit func(ctx context.Context, name string) (systemd.Unit, error)
	// UnitFiles says which files HAProxy reads here where systemd starts it and not under the
	// cluster, "" if there are none; nil asks nothing.
	UnitFiles func(ctx context.Context, h *config.HAProxy) (string, error)
	// OtherVersions says that this node's agents are of another version than this program, "" if
	// they are not; nil asks nothing.
	OtherVersions func(ctx context.Context) string
	// Interfaces lists the network interfaces of this machine that are up; nil if that is of no
	// interest.
	Interfaces func() ([]Interface, error)
	// Reserved asks the cloud whether an address is one of the account of its token: wrong says
	// why it is not, an error that this is not known. nil asks nothing.
	Reserved func(ctx context.Context, ip *config.Address) (wrong string, err error)
	// Held asks this machine the same of an address on a LAN: whether it has an interface for it.
	Held func(ctx context.Context, ip *config.Address) (wrong string, err error)
}

// Check checks the files that hawser.yaml names. Its error is *config.Faults.
func (n Node) Check(ctx context.Context, file *config.File) (warnings []string, err error) {
	if n.Remote {
		return []string{
			"the cluster is another machine's: the files that " + file.Path +
				" names were not checked",
		}, nil
	}
	faults := &config.Faults{Path: file.Path}
	reserved := n.askReserved(ctx, file)
	for _, ip := range file.Addresses {
		if ip.TokenFile != "" {
			n.checkToken(faults, ip.TokenFileAt, ip.TokenFile)
		}
	}
	if file.Fencing.Way == config.FencingDroplet {
		n.checkToken(faults, file.Fencing.Droplet.TokenFileAt, file.Fencing.Droplet.TokenFile)
	}
	if err := n.HAProxy(ctx, FromFile(&file.HAProxy, n.Name)); err != nil {
		at := file.HAProxy.ConfigAt
		if at.Line == 0 {
			at = file.HAProxy.At
		}
		faults.Add(at, "%v%s", err, n.askRoot(err))
	} else {
		warnings = append(warnings, reach.Warnings(reach.OfFile(file))...)
	}
	n.checkChecks(ctx, faults, &file.HAProxy)
	if warning := n.Versions(ctx); warning != "" {
		warnings = append(warnings, warning)
	}
	if warning := n.checkUnit(ctx); warning != "" {
		warnings = append(warnings, warning)
	}
	if warning := n.checkUnitFiles(ctx, &file.HAProxy); warning != "" {
		warnings = append(warnings, warning)
	}
	warnings = append(warnings, reserved(faults)...)
	return warnings, faults.Err()
}

// Versions warns if the agents that the cluster runs here are of another version than this program.
func (n Node) Versions(ctx context.Context) string {
	if n.OtherVersions == nil || !n.Live {
		return ""
	}
	return n.OtherVersions(ctx)
}

// checkToken reads a token as the agents do, so that it does not accept a file they would refuse.
func (n Node) checkToken(faults *config.Faults, at config.Position, path string) {
	if _, err := tokenfile.Read(path); err != nil {
		faults.Add(at, "%v%s", err, n.askRoot(err))
	}
}

func (n Node) askRoot(err error) string {
	if !errors.Is(err, fs.ErrPermission) {
		return ""
	}
	return outcome.AskRoot(n.Root)
}
