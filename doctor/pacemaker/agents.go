package pacemaker

import (
	"fmt"
	"path/filepath"

	"github.com/hawser-ha/hawser/cluster/inventory"
	"github.com/hawser-ha/hawser/contract"
	"github.com/hawser-ha/hawser/doctor"
)

// ocfRoot is where resource agents are (OCF_ROOT of resource-agents).
const ocfRoot = "/usr/lib/ocf/resource.d"

// checkAgents finds HAProxies and addresses that are run by other agents than hawser's.
func checkAgents(v *view) []doctor.Finding {
	var found []doctor.Finding
	for _, p := range v.primitives() {
		if !inventory.RunsHAProxy(p.Agent()) && !inventory.IsFloatIP(p.Agent()) ||
			p.Provider == contract.Provider {
			continue
		}
		f := doctor.Finding{
			Severity: doctor.Warning, Subject: p.Name,
			Why: "other agents report a HAProxy that hangs, or is a zombie, as running; they " +
				"neither reload it nor publish its state",
		}
		if p.Class != "ocf" {
			f.What = fmt.Sprintf("%s is run as %s", p.Name, p.Agent())
			better := *p
			better.Class, better.Provider = "ocf", contract.Provider
			better.Type, better.Params = contract.HAProxyType, nil
			f.Fix = []string{doctor.Define(&better)}
			found = append(found, f)
			continue
		}
		path := filepath.Join("/", v.Files, ocfRoot, p.Provider, p.Type)
		ours := filepath.Join("/", v.Files, ocfRoot, contract.Provider, p.Type)
		target, err := filepath.EvalSymlinks(path)
		if err == nil {
			if own, ownErr := filepath.EvalSymlinks(ours); ownErr == nil && own == target {
				continue // the compatible link
			}
			f.What = fmt.Sprintf("%s is run by %s, which is not hawser's agent on this node",
				p.Name, p.Agent())
			better := *p
			better.Provider = contract.Provider
			f.Fix = []string{doctor.Define(&better)}
			found = append(found, f)
		}
	}
	return found
}
