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
					Todo: []string{
						"give each node in the nodelist of " + confFile + " a line `name:` with the " +
							"name that `crm_node --list` has for it, on every node; then " +
							"`corosync-cfgtool -R` on one",
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
		if n, _ := v.above.Status.Node(name); n.Online {
			found = append(found, renamed(name))
			continue
		}
		found = append(found, doctor.Finding{
			Severity: doctor.Warning, Node: name, Subject: name,
			What: name + " is a node of Pacemaker's that Corosync does not have",
			Why: "it was removed or renamed: Pacemaker shows it as offline, may want to fence " +
				"it, and counts it when it places resources",
			Todo: []string{
				"if that machine is gone for good: `crm_node --force --remove " +
					doctor.Quote(name) + "`",
			},
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

// renamed reports a node that takes part under a name that corosync.conf does not have for it any
// more: it must not be removed, it may hold an address.
func renamed(name string) doctor.Finding {
	return doctor.Finding{
		Severity: doctor.Error, Node: name, Subject: name,
		What: name + " is online, and " + confFile + " has no node of that name any more",
		Why: "it was renamed in the file while it runs: when it starts again it is another node to " +
			"the cluster, with nothing of what is configured for " + name,
		Todo: []string{
			"give it the name " + name + " again in " + confFile + " on every node, then " +
				"`corosync-cfgtool -R` on one; do not remove the node: it is in use",
		},
	}
}
