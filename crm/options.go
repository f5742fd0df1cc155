package crm

import (
	"context"
	"fmt"
	"slices"
)

// daemons are Pacemaker's programs that have options of the cluster, each relative to the directory
// of its tools, where distributions have them.
var daemons = [][]string{
	{"../lib/pacemaker/pacemaker-schedulerd", "../libexec/pacemaker/pacemaker-schedulerd"},
	{"../lib/pacemaker/pacemaker-controld", "../libexec/pacemaker/pacemaker-controld"},
	{"../lib/pacemaker/pacemaker-based", "../libexec/pacemaker/pacemaker-based"},
}

// Options lists the options of a cluster that the Pacemaker of this node knows.
func (t *Tools) Options(ctx context.Context) ([]string, error) {
	ctx, cancel := withLimit(ctx)
	defer cancel()
	var names []string
	for _, places := range daemons {
		var text []byte
		var err error
		for _, place := range places {
			var out output
			if out, err = t.run(ctx, nil, place, "metadata"); err == nil {
				if out.code != 0 {
					return nil, t.toolError(place, "read the options that it has", out)
				}
				text = out.stdout
				break
			}
		}
		if err != nil {
			return nil, err
		}
		m, err := ParseMetadata(text)
		if err != nil {
			return nil, fmt.Errorf("the options of %s: %w", places[0], err)
		}
		for _, p := range m.Parameters {
			names = append(names, p.Name)
		}
	}
	return names, nil
}

// KnownOption says whether some version of Pacemaker since 1.1 has an option of that name, or its
// daemons and tools leave something under it.
func KnownOption(name string) bool { return slices.Contains(knownOptions, name) }

// KnownOptions lists them.
func KnownOptions() []string { return slices.Clone(knownOptions) }

var knownOptions = []string{
	// the scheduler's
	"no-quorum-policy", "symmetric-cluster", "maintenance-mode", "start-failure-is-fatal",
	"enable-startup-probes", "shutdown-lock", "shutdown-lock-limit", "stonith-enabled",
	"stonith-action", "stonith-timeout", "have-watchdog", "concurrent-fencing", "startup-fencing",
	"priority-fencing-delay", "node-pending-timeout", "cluster-delay", "batch-limit",
	"migration-limit", "stop-all-resources", "stop-orphan-resources", "stop-orphan-actions",
	"remove-after-stop", "pe-error-series-max", "pe-warn-series-max", "pe-input-series-max",
	"node-health-strategy", "node-health-base", "node-health-green", "node-health-yellow",
	"node-health-red", "placement-strategy",
	// the controller's
	"dc-version", "cluster-infrastructure", "cluster-name", "dc-deadtime",
	"cluster-recheck-interval", "fence-reaction", "election-timeout", "shutdown-escalation",
	"join-integration-timeout",
	"join-finalization-timeout", //nolint:misspell // as Pacemaker spells it
	"transition-delay", "load-threshold", "node-action-limit", "stonith-watchdog-timeout",
	"stonith-max-attempts",
	// the CIB manager's
	"enable-acl", "cluster-ipc-limit",
	// since 3.0
	"fencing-enabled", "fencing-action", "fencing-timeout", "fencing-watchdog-timeout",
	"fencing-max-attempts", "fencing-reaction",
	// until 1.1
	"crmd-integration-timeout", "crmd-transition-delay",
	"crmd-finalization-timeout", //nolint:misspell // as Pacemaker spelled it
	"default-action-timeout", "default-resource-stickiness", "is-managed-default",
	"default-migration-threshold", "notification-agent", "notification-recipient",
	"expected-quorum-votes", "stonith-fail-limit",
	// what tools leave behind
	"last-lrm-refresh",
}
