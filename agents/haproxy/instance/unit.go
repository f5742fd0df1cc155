package instance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hawser-ha/hawser/agents/haproxy/unit"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/internal/systemd"
	"github.com/hawser-ha/hawser/ocf"
	"github.com/hawser-ha/hawser/param"
)

// Where systemd runs the machine, HAProxy gets the settings that its own unit would have given it,
// and a scope, so that it is not part of pacemaker.service: neither of its limits nor of what is
// killed with it. docs/decisions/0021.

// Systemd is what the agent asks of systemd; tests replace it.
type Systemd struct {
	Find     func(context.Context, string) (systemd.Unit, error)
	Settings func(context.Context, string) (systemd.Settings, bool, error)
	Booted   func() bool
}

func thisSystemd() Systemd { return Systemd{systemd.Find, systemd.ServiceSettings, systemd.Booted} }

// clusterUnits are the units whose stop stops the resources. Pacemaker gives the units of its own
// systemd resources the same order (lib/services/systemd.c, Before=).
var clusterUnits = []string{"pacemaker.service", "pacemaker_remote.service"}

// lower are the units that HAProxy needs for as long as it serves.
var lower = []string{"network.target", "systemd-journald.socket", "resource-agents-deps.target"}

// What the names of scopes have beside the instance's.
const keeperPrefix, spareSuffix = "keeper-", "-again"

// Scope returns the scope of HAProxy.
func (in *Instance) Scope() systemd.Scope {
	instance := in.Instance()
	name := "hawser-" + instance
	if strings.HasPrefix(instance, keeperPrefix) || strings.HasSuffix(instance, spareSuffix) {
		name += ":" // not the scope of another resource's keeper, nor another's spare one
	}
	return systemd.Scope{
		Name:        systemd.ScopeName(name),
		Spare:       systemd.ScopeName(name + spareSuffix),
		Description: "HAProxy, the cluster's resource " + instance, Like: in.Unit,
		Before: clusterUnits, After: lower,
	}
}

// KeeperScope returns the scope of the keeper and its standby: HAProxy's limits, and what kills
// HAProxy, must not apply to them.
func (in *Instance) KeeperScope() systemd.Scope {
	instance := in.Instance()
	return systemd.Scope{
		Name:        systemd.ScopeName("hawser-" + keeperPrefix + instance),
		Description: "the keeper of HAProxy, the cluster's resource " + instance,
		Before:      clusterUnits, After: lower,
	}
}

// UnitSettings returns the settings of HAProxy's unit, nil without systemd. A start does not fail
// because they are unknown.
func (in *Instance) UnitSettings(ctx context.Context) *systemd.Settings {
	call := ocf.CallFrom(ctx)
	if !in.Systemd.Booted() {
		return nil
	}
	if in.Unit == "" {
		return nil
	}
	s, there, err := in.Systemd.Settings(ctx, in.Unit)
	switch {
	case err != nil:
		call.Warnf("HAProxy runs with Pacemaker's limits instead of those of %s: %v", in.Unit, err)
		return nil
	case !there:
		call.Infof("there is no %s on this node, or it is masked: HAProxy runs with Pacemaker's "+
			"limits", in.Unit)
		return nil
	}
	for _, fault := range s.Faults {
		call.Warnf("%s: %v", in.Unit, fault)
	}
	if len(s.Ignored) > 0 {
		call.Warnf("%s sets %s, which HAProxy does not get under the cluster", in.Unit,
			strings.Join(s.Ignored, ", "))
	}
	if others := unit.OtherCommands(s); len(others) > 0 {
		call.Warnf("%s has commands that are not run under the cluster: %s", in.Unit,
			strings.Join(others, ", "))
	}
	if missing := in.unitResource().MissingFiles(s); missing != "" {
		call.Warnf("%s", missing)
	}
	return &s
}

// owner returns whom the unit's settings have HAProxy run as: as the start has found it out, for a
// directory service that hangs must not stand between a crash and the next HAProxy.
func (in *Instance) owner(given *systemd.Settings) (unit.Owner, error) {
	s, _ := in.Load()
	if s.Owner != nil && s.Given != nil && given != nil && s.Given.User == given.User &&
		s.Given.Group == given.Group {
		return *s.Owner, nil
	}
	return unit.OwnerOf(given)
}

// OwnerToNote returns what a start notes of the owner, nil if it cannot be found out.
func OwnerToNote(given *systemd.Settings) *unit.Owner {
	owner, err := unit.OwnerOf(given)
	if err != nil {
		return nil
	}
	return &owner
}

func (in *Instance) unitResource() unit.Resource {
	return unit.Resource{Unit: in.Unit, Conffile: in.Conffile, Extraconf: in.Extraconf}
}

// UnitFiles says which files HAProxy reads where its unit starts it and not under the cluster, and
// what to do; "" if there are none, or where systemd does not run the machine.
func UnitFiles(ctx context.Context, s Startup) (string, error) {
	in := Instance{Settings: Settings{
		Conffile:  cmp.Or(s.ConfFile, contract.DefaultConffile),
		Extraconf: s.ExtraConf, Unit: cmp.Or(s.Unit, contract.DefaultUnit),
	}, System: System{Systemd: thisSystemd()}}
	if in.Unit == param.NoService || !in.Systemd.Booted() {
		return "", nil
	}
	given, there, err := in.Systemd.Settings(ctx, in.Unit)
	if err != nil {
		return "", fmt.Errorf("what %s has HAProxy read is not known: %w", in.Unit, err)
	}
	if !there {
		return "", nil
	}
	return in.unitResource().MissingFiles(given), nil
}

// WithUnitEnvironment puts the environment of the unit before the agent's own variables, which win.
func WithUnitEnvironment(given *systemd.Settings, env []string) []string {
	if given == nil {
		return env
	}
	var all []string
	said := map[string]bool{"PATH": true, FamilyVariable: true}
	for _, entry := range slices.Backward(slices.Concat(given.Env, env)) {
		if name, _, _ := strings.Cut(entry, "="); !said[name] { // an empty word is one too
			all, said[name] = append(all, entry), true
		}
	}
	slices.Reverse(all)
	return all
}

// CheckUnit warns if systemd runs a HAProxy of its own beside this one, or will. Debian enables it
// at installation, so this does not prevent a start; conflicts over an address are found by who
// listens there. A unit that is just starting, as at boot, is waited for: it takes its addresses a
// moment later, unnoticed.
func (in *Instance) CheckUnit(ctx context.Context) {
	if in.Unit == "" {
		return
	}
	call := ocf.CallFrom(ctx)
	unit, err := in.Systemd.Find(ctx, in.Unit)
	waiting, cancel := context.WithTimeout(ctx, unitPatience)
	defer cancel()
	for err == nil && unit.Active == "activating" && waiting.Err() == nil {
		select {
		case <-waiting.Done():
		case <-time.After(100 * time.Millisecond):
			unit, err = in.Systemd.Find(ctx, in.Unit)
		}
	}
	switch {
	case err != nil:
		call.Warnf("whether systemd starts a HAProxy of its own is not known: %v", err)
	case unit.Runs():
		call.Warnf("systemd runs a HAProxy of its own beside the cluster's, %s (pid %d): %s",
			unit.Name, unit.MainPID, unit.Disable())
	case unit.Enabled():
		call.Warnf("systemd starts a HAProxy of its own at the next boot, %s: %s", unit.Name,
			unit.Disable())
	}
}

// unitPatience is how long to wait for a unit that is starting.
const unitPatience = 5 * time.Second

// MoveTo puts processes into a scope, if systemd is there to do it.
func (in *Instance) MoveTo(ctx context.Context, scope systemd.Scope, pids ...int) error {
	if !in.Systemd.Booted() {
		return nil
	}
	err := scope.Adopt(ctx, pids...)
	if errors.Is(err, systemd.ErrPlain) {
		return fmt.Errorf("%s: %w", scope.Name, err)
	}
	if err != nil {
		return fmt.Errorf("it stays in the control group of whoever started it: %w", err)
	}
	return nil
}
