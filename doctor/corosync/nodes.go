package corosync

import (
	"sort"
	"strings"

	"github.com/hawser-ha/hawser/doctor"
)

// checkNames compares the nodes that Corosync knows with Pacemaker's.
func checkNames(v *view) []doctor.Finding {
	if v.above == nil {
		return nil // another check reports that Pacemaker does not answer
	}
	members := map[string]bool{}
	for _, m := range v.keys.Members() {
		if m.Name == "" {
			return []doctor.Finding{
				{
					Severity: doctor.Warning, Subject: "nodelist",
					What: "nodes in " + confFile + " have no name",
					Why: "Pacemaker takes each node's host name for it: a node that is renamed " +
						"becomes another one to the cluster",
					Fix: []string{
						"# a line `name: NAME` for each node in the nodelist of " + confFile +
							", the names that `crm_node --list` has, on every node",
						"corosync-cfgtool -R    # on one",
					},
				},
			}
		}
		members[m.Name] = true
	}
	if len(members) == 0 {
		return nil // found by multicast
	}
	var only, missing []string
	known := map[string]bool{}
	for _, n := range v.above.Status.Nodes {
		if n.Type != "member" && n.Type != "" {
			continue // remote nodes have no Corosync
		}
		known[n.Name] = true
		if !members[n.Name] {
			only = append(only, n.Name)
		}
	}
	for name := range members {
		if !known[name] {
			missing = append(missing, name)
		}
	}
	sort.Strings(missing)
	var found []doctor.Finding
	for _, name := range only {
		found = append(found, doctor.Finding{
			Severity: doctor.Warning, Node: name, Subject: name,
			What: name + " is a node of Pacemaker's that Corosync does not have",
			Why: "it was removed or renamed: Pacemaker shows it as offline, may want to fence " +
				"it, and counts it when it places resources",
			Fix: []string{"crm_node --force --remove " + doctor.Quote(name)},
		})
	}
	if len(missing) > 0 {
		found = append(found, doctor.Finding{
			Severity: doctor.Warning, Subject: "nodelist",
			What: "nodes of Corosync's that Pacemaker has not seen yet: " +
				strings.Join(missing, ", "),
			Why: "nothing can run on them; or they have another name there than in " + confFile,
			Fix: []string{
				"systemctl start corosync pacemaker    # on " + strings.Join(missing, ", "),
				"crm_node --list",
			},
		})
	}
	return found
}
