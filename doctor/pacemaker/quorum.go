package pacemaker

import (
	"fmt"
	"strings"

	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/doctor"
)

func checkQuorumPolicy(v *view) []doctor.Finding {
	var found []doctor.Finding
	if !v.status.Quorum {
		var lost []string
		for _, n := range v.status.Nodes {
			if !n.Online && !n.Remote() {
				lost = append(lost, n.Name)
			}
		}
		f := doctor.Finding{
			Severity: doctor.Error, Subject: "quorum", What: "this partition has no quorum",
			Why: "Pacemaker will not start any resource here, and stops those that run unless " +
				"no-quorum-policy says otherwise; changes of the configuration here may be lost",
			Fix: []string{"corosync-quorumtool -s", "corosync-cfgtool -s"},
		}
		if len(lost) > 0 {
			f.What += ": " + strings.Join(lost, ", ") + " not seen from here"
			f.Fix = append(f.Fix,
				"systemctl start corosync pacemaker    # on "+strings.Join(lost, ", ")+
					", unless they are cut off")
		}
		found = append(found, f)
	}
	policy, set := v.cib.Property(crm.NoQuorumPolicy)
	if !set {
		return found
	}
	f := doctor.Finding{
		Subject: crm.NoQuorumPolicy, What: "no-quorum-policy is " + policy,
		Fix: []string{unset(crm.NoQuorumPolicy)},
	}
	switch policy {
	case "ignore":
		f.Severity, f.Why = doctor.Error, "when the nodes lose sight of each other, each part "+
			"goes on by itself: both take every address, and both serve"
		if len(v.status.Nodes) == 2 {
			f.Why += ". Two nodes do not need it: two_node: 1 in corosync.conf gives either of " +
				"them quorum"
		}
	case "freeze":
		f.Severity, f.Why = doctor.Warning, "a part of the cluster that lost its quorum keeps "+
			"the addresses that it has, while the other part takes them, unless it fences it first"
	case "suicide":
		if v.cib.FencingEnabled() {
			return found
		}
		f.Severity, f.Why = doctor.Warning, "without fencing a node cannot be made to shut "+
			"itself down, and Pacemaker treats the policy as stop: a node that hangs keeps running"
	case "stop", "demote", "fence":
		return found
	default:
		f.Severity, f.What, f.Why = doctor.Warning, fmt.Sprintf(
			"no-quorum-policy is %q, which Pacemaker does not know", policy), "Pacemaker treats "+
			"it as stop"
	}
	return append(found, f)
}
