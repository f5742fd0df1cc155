package pacemaker

import (
	"github.com/hawser-ha/hawser/crm"
	"github.com/hawser-ha/hawser/doctor"
)

// checkUnmanaged finds what keeps Pacemaker from managing resources.
func checkUnmanaged(v *view) []doctor.Finding {
	var found []doctor.Finding
	const idle = "Pacemaker neither moves nor restarts anything: a dead HAProxy or node stays " +
		"unnoticed"
	if v.yesProperty("maintenance-mode") {
		found = append(found, doctor.Finding{
			Severity: doctor.Error, Subject: "maintenance-mode",
			What: "the whole cluster is in maintenance mode", Why: idle,
			Fix: []string{unset("maintenance-mode")},
		})
	}
	if v.yesProperty("stop-all-resources") {
		found = append(found, doctor.Finding{
			Severity: doctor.Error, Subject: "stop-all-resources",
			What: "every resource is stopped (stop-all-resources=true)", Why: "nothing is served",
			Fix: []string{unset("stop-all-resources")},
		})
	}
	if value, ok := v.cib.Property("is-managed-default"); ok && crm.IsFalse(value) {
		found = append(found, doctor.Finding{
			Severity: doctor.Error, Subject: "is-managed-default",
			What: "resources are not managed by default (is-managed-default=false)", Why: idle,
			Fix: []string{unset("is-managed-default")},
		})
	}
	for _, o := range v.objects {
		switch o := o.(type) {
		case *crm.Primitive, *crm.Clone, *crm.Group:
			found = append(found, keptOff(o)...)
		case *crm.Property:
			if o.Section != crm.RscDefaults {
				continue
			}
			fix := []string{
				"hawser configure rsc_defaults " + o.Name + "=" + map[string]string{
					"is-managed": "true", "maintenance": "false", crm.TargetRole: crm.RoleStarted,
				}[o.Name],
			}
			switch {
			case o.Name == "is-managed" &&
				crm.IsFalse(o.Value), o.Name == "maintenance" && crm.IsTrue(o.Value):
				found = append(found, doctor.Finding{
					Severity: doctor.Error, Subject: "rsc_defaults",
					What: "resources are not managed by default (" + o.Name + "=" + o.Value + ")",
					Why:  idle, Fix: fix,
				})
			case o.Name == crm.TargetRole && crm.IsStopped(o.Value):
				found = append(found, doctor.Finding{
					Severity: doctor.Error, Subject: "rsc_defaults",
					What: "resources are stopped by default (target-role=Stopped)",
					Why:  "resources that do not override it are not started", Fix: fix,
				})
			}
		}
	}
	return found
}

// keptOff checks a resource's own meta attributes.
func keptOff(o crm.Object) []doctor.Finding {
	var found []doctor.Finding
	meta := crm.MetaOf(o)
	if value, ok := meta.Get("is-managed"); ok && crm.IsFalse(value) {
		found = append(found, doctor.Finding{
			Severity: doctor.Error, Subject: o.ID(),
			What: o.ID() + " is not managed (is-managed=" + value + ")",
			Why:  "Pacemaker neither restarts nor moves it when it fails",
			Fix:  []string{unsetMeta(o.ID(), "is-managed")},
		})
	}
	if value, ok := meta.Get("maintenance"); ok && crm.IsTrue(value) {
		found = append(found, doctor.Finding{
			Severity: doctor.Error, Subject: o.ID(),
			What: o.ID() + " is in maintenance (maintenance=" + value + ")",
			Why:  "Pacemaker neither watches nor restarts nor moves it",
			Fix:  []string{unsetMeta(o.ID(), "maintenance")},
		})
	}
	if value, _ := meta.Get(crm.TargetRole); crm.IsStopped(value) {
		found = append(found, doctor.Finding{
			Severity: doctor.Warning, Subject: o.ID(),
			What: o.ID() + " is kept stopped (target-role=" + value + ")",
			Why:  "somebody stopped it, and it does not start on any node until that is undone",
			Fix:  []string{unsetMeta(o.ID(), crm.TargetRole)},
		})
	}
	return found
}
