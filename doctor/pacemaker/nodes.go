package pacemaker

import "github.com/hawser-ha/hawser/doctor"

// checkNodes lists the nodes on which nothing can run.
func checkNodes(v *view) []doctor.Finding {
	var found []doctor.Finding
	for _, n := range v.status.Nodes {
		f := doctor.Finding{
			Node: n.Name, Subject: n.Name, Why: "the addresses have one node fewer to go to",
		}
		switch {
		case n.Unclean:
			f.Severity, f.What = doctor.Error, n.Name+
				" is unclean: it is unreachable, and may still be running"
			f.Why = "its resources are not recovered until it is fenced"
			f.Fix = []string{
				"stonith_admin --history " + doctor.Quote(n.Name) + " --verbose",
			}
			f.Todo = []string{
				"only once you have seen that " + n.Name + " is off: `stonith_admin --confirm " +
					doctor.Quote(n.Name) + "`",
			}
		case !n.Online && n.Remote():
			f.Severity, f.What, f.Fix = doctor.Warning, n.Name+
				" (a remote node) is offline", []string{
				"systemctl start pacemaker_remote    # on " + n.Name,
			}
		case !n.Online:
			f.Severity, f.What, f.Fix = doctor.Warning, n.Name+" is offline", []string{
				"systemctl start corosync pacemaker    # on " + n.Name,
			}
		case n.Maintenance && !v.yesProperty("maintenance-mode"):
			f.Severity, f.What, f.Why = doctor.Error, n.Name+
				" is in maintenance: nothing on it is managed", "what fails there stays failed, "+
				"and does not move"
			f.Fix = []string{
				"crm_attribute --node " + doctor.Quote(n.Name) + " --name maintenance --delete",
			}
		case n.Standby:
			f.Severity, f.What, f.Fix = doctor.Warning, n.Name+
				" is in standby: nothing runs on it", []string{
				"crm_standby --node " + doctor.Quote(n.Name) + " --delete",
			}
		case n.Pending:
			f.Severity, f.What, f.Fix = doctor.Warning, n.Name+
				" is in Corosync's membership and has not joined Pacemaker's yet", []string{
				"crm_mon -1", "journalctl -u pacemaker -n 50    # on " + n.Name,
			}
		default:
			continue
		}
		found = append(found, f)
	}
	return found
}
